"""The bounds within which the suite reads whatever a server sends."""

from __future__ import annotations

BODY_LIMIT = 16 * 1024 * 1024
"""Bytes of one body, compressed or not; more is a flood."""

LARGE_BODY = 1024 * 1024
"""Bytes of a body from which on only one at a time is read and judged, for memory's sake."""

VALUES_LIMIT = 250_000
"""Brackets that open and commas of one JSON text; more is a flood: what is short to send can be long to hold."""

HELD_LIMIT = 96 * 1024 * 1024
"""Bytes of memory that the logs of all tasks may take; what goes on beyond is read no further."""

HEAD_LIMIT = 256 * 1024
"""Bytes of one response head. Node gives up at 16 KiB; reading on a while tells how much too long it is."""

HEADER_LINES = 100
"""Python refuses more header lines than this."""

HEADER_BYTES = 16 * 1024
"""Node refuses more bytes of headers than this."""

KEPT_BYTES = 4096
"""How much of each body the report keeps as evidence."""

SILENCE_LIMIT = 30.0
"""Seconds without a byte after which the requests example gives up."""

INTERLEAVED_MESSAGES = 2
"""Messages that interleaved readers may have sent in the whole run, if the budget has them left."""
