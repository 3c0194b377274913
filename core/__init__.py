"""What every judge shares and none owns."""
