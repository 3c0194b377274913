"""An exception of ours, told as what it is: a problem of the generator, never of the server under test."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

_PACKAGE: Final = "sendpoll"
_LIBRARIES: Final = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})


def crash_text(error: BaseException) -> str:
    """The exception's type, its text, and the line of our code, or of a locustfile, that it came through last."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if _is_own(frame.filename)] or frames
    place = f" at {_shown(own[-1].filename)}:{own[-1].lineno} in {own[-1].name}" if own else ""
    said = " ".join(str(error).split())
    return f"{type(error).__name__}{place}{': ' if said else ''}{said}"


def crash_problems(crashes: Mapping[str, int]) -> tuple[str, ...]:
    """A sentence for each different crash; `crashes` maps its text to how often it happened."""
    return tuple(
        f"the generator broke{f' {count:,} times' if count > 1 else ''}, not the server: {text}"
        for text, count in crashes.items()
    )


def merged_crashes(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The crashes of several processes as one count, in the order in which they were first told."""
    merged: dict[str, int] = {}
    for part in parts:
        for text, count in part.items():
            merged[text] = merged.get(text, 0) + count
    return merged


def _is_own(filename: str) -> bool:
    return _PACKAGE in Path(filename).parts or not filename.startswith(("<", *_LIBRARIES))


def _shown(filename: str) -> str:
    """The path within our package; of any other file its name, since where somebody keeps it is nobody's business."""
    parts = Path(filename).parts
    if _PACKAGE not in parts:
        return parts[-1]
    last = len(parts) - 1 - parts[::-1].index(_PACKAGE)
    return "/".join(parts[last:])
