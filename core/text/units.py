"""Numbers with their units, as people write them in scenarios and objectives and read them in reports."""

from __future__ import annotations

import re
from typing import Final

NOTHING: Final = "–"
"""What a report writes where there is no number."""
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


def three_digits(value: float) -> str:
    """As many digits as are known: 0.125, 9.75, 1,680; no exponent where people count."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def quantity(value: float | None, unit: str) -> str:
    """A value with its unit, seconds in three digits; another unit than `s` is not written."""
    if value is None:
        return NOTHING
    if unit == "s":
        return short_seconds(value)
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:#.3g}"


def percent(share: float | None) -> str:
    """A share in three digits."""
    return NOTHING if share is None else f"{share * 100:.3g}%"


def counted(count: int, noun: str, plural: str = "") -> str:
    """A count with its noun, such as `1 task` or `2,000 tasks`."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def _three(value: float) -> str:
    decimals = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{decimals}f}"
