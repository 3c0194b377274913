"""The bounds within which the suite keeps and judges whatever a server sends."""

from __future__ import annotations

LARGE_BODY = 1024 * 1024
"""Bytes of a body from which on only one at a time is read and judged, for memory's sake."""

HELD_LIMIT = 96 * 1024 * 1024
"""Bytes of memory that the logs of all tasks may take; what goes on beyond is read no further."""

KEPT_BYTES = 4096
"""How much of each body the report keeps as evidence."""

SILENCE_LIMIT = 30.0
"""Seconds without a byte after which the requests example gives up."""

INTERLEAVED_MESSAGES = 2
"""Messages that interleaved readers may have sent in the whole run, if the budget has them left."""
