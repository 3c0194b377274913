"""What a run came to, as every report and command tells it."""
