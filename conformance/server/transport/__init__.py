"""Connections to the target."""
