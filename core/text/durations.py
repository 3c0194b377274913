"""Times as people write them in scenarios, objectives and reports: a number with its unit, such as `500ms` or `2s`."""

from __future__ import annotations

import re
from typing import Final

UNITS: Final = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_WRITTEN: Final = re.compile(rf"([0-9]+(?:\.[0-9]+)?)\s*({'|'.join(UNITS)})")


def parse_seconds(text: str) -> float:
    """The seconds that a written time means.

    Raises ValueError that names the text and an example.
    """
    match = _WRITTEN.fullmatch(text.strip())
    if not match:
        raise ValueError(
            f"{text!r} is no time; write a number with its unit (us, ms, s, min or h), such as 500ms or 2s"
        )
    return float(match[1]) * UNITS[match[2]]


def exact_seconds(seconds: float) -> str:
    """A time that `parse_seconds` reads back to the same number, to the microsecond."""
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.6f}".rstrip("0").rstrip(".") + "s"
    return f"{seconds * 1e3:.3f}".rstrip("0").rstrip(".") + "ms"


def short_seconds(seconds: float) -> str:
    """A time in three digits for people, such as `84.1 ms`, `2.00 s` or `1 min 30 s`."""
    if seconds == 0:
        return "0 s"
    if seconds < 0.0009995:
        return f"{_three(seconds * 1e6)} µs"
    if seconds < 0.9995:
        return f"{_three(seconds * 1e3)} ms"
    if seconds < 99.95:
        return f"{_three(seconds)} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def _three(value: float) -> str:
    decimals = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{decimals}f}"
