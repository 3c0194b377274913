"""The HTTP client of the users: one connection each, a deadline for each exchange, next to no cost."""
