"""The run: every exchange recorded, the calls in the form of each client, tasks read by many readers."""
