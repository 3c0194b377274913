"""What a run came to: gates, verdict, result file, comparison."""
