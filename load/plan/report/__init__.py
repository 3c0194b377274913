"""The reports of a plan."""
