"""How the C library keeps memory, so that a run holds what it needs and not what it once needed."""

from __future__ import annotations

import contextlib
import ctypes

_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
"""Parameters of mallopt(3), as glibc numbers them."""
_BLOCK = 128 * 1024


def give_memory_back() -> None:
    """Have blocks of some size returned to the system when they are freed; nothing where the C library is another.

    By default glibc has a heap for each thread that does not shrink, and begins to put large blocks there once one was
    freed: a dozen readers then hold a dozen times what the largest answer of each took.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        library = ctypes.CDLL(None)
        library.mallopt(_ARENA_MAX, 1)
        library.mallopt(_MMAP_THRESHOLD, _BLOCK)
