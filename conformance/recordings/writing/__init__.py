"""Recordings as files: NDJSON, which loses nothing, and HAR, which every tool can open."""
