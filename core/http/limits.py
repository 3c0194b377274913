"""The bounds of one answer: what clients refuse, and where a reader of ours gives up."""

from __future__ import annotations

from typing import Final

HEADER_LINES: Final = 100
"""Python refuses as many header lines as this."""

HEADER_BYTES: Final = 16 * 1024
"""Node refuses as many bytes of names and values as this."""

HEAD_LIMIT: Final = 256 * 1024
"""Bytes of one response head. Node gives up at 16 KiB; reading on a while tells how much too long it is."""

LINE_LIMIT: Final = 16 * 1024
"""Bytes of one line of a chunked body, a size with its extensions or a trailer: Chromium refuses more."""

SIZE_DIGITS: Final = 16
"""Hexadecimal digits of a chunk's size, leading zeros among them: curl refuses more."""

LENGTH_DIGITS: Final = 18
"""Decimal digits of a Content-Length that count: Node and Dart hold it in 64 bits."""

BODY_LIMIT: Final = 16 * 1024 * 1024
"""Bytes of one body, compressed or not; more is a flood."""
