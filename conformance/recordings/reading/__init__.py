"""Readers of recordings, one a format: bytes that a stranger wrote in, exchanges and what was left out of them out."""
