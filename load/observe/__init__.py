"""What the server's own machine says while load is held: its figures on the run's time line, and which one gave."""
