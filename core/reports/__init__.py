"""The kit that writes reports."""
