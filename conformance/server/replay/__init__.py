"""Sends a reported failure again."""
