"""Numbers and foreign texts as reports write them. A server chooses its own words; none may act on a reader."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from sendpoll.core.text.durations import short_seconds

NOTHING: Final = "–"
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Terminal control, and characters that turn the direction of the text around them."""
_MARKDOWN: Final = re.compile(r"[\\`*_{}\[\]()#+\-!|~]")
_SPELLED: Final = {"µ": "u", "–": "-", "…": "..."}
_LINKED: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;", "://": "&#58;//", "www.": "www&#46;"}


def plain(text: str, limit: int = 300) -> str:
    """A foreign text on one line, its control characters shown by number, cut where it is long."""
    shown = _CONTROL.sub(_shown, text)
    return f"{shown[: limit - 1]}…" if len(shown) > limit else shown


def _shown(match: re.Match[str]) -> str:
    return " " if match.group() in "\t\r\n" else f"\\u{ord(match.group()):04x}"


def spelled_out(error: UnicodeError) -> tuple[str, int]:
    """What a stream writes that cannot carry a character: the nearest ASCII, or its number.

    A handler for `codecs.register_error`.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    characters = error.object[error.start : error.end]
    return "".join(_SPELLED.get(one, one.encode("ascii", "backslashreplace").decode()) for one in characters), error.end


def markdown(text: str, limit: int = 300) -> str:
    """A foreign text that Markdown shows as it is: no markup, no link, no mention, no table cell of its own."""
    escaped = _MARKDOWN.sub(r"\\\g<0>", plain(text, limit))
    for special, entity in _LINKED.items():
        escaped = escaped.replace(special, entity)
    return escaped


def quantity(value: float | None, unit: str) -> str:
    """A value with its unit, seconds in three digits."""
    if value is None:
        return NOTHING
    if unit == "s":
        return short_seconds(value)
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:#.3g}"


def interval(estimate: Mapping[str, Any] | None, unit: str) -> str:
    """The interval of an estimate; empty where there is none. An open end is said, not guessed."""
    if estimate is None:
        return ""
    low, high = estimate["low"], estimate["high"]
    if low is None and high is None:
        return "too few to bound"
    if low is None or high is None:
        return f"at most {quantity(high, unit)}" if low is None else f"at least {quantity(low, unit)}"
    return f"{quantity(low, unit)} to {quantity(high, unit)}"


def value_of(estimate: Mapping[str, Any] | None, unit: str) -> str:
    """The value of an estimate."""
    return quantity(None if estimate is None else estimate["value"], unit)


def percent(share: float | None) -> str:
    """A share in three digits."""
    return NOTHING if share is None else f"{share * 100:.3g}%"


def counted(count: int, noun: str, plural: str = "") -> str:
    """A count with its noun, such as `1 task` or `2,000 tasks`."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def extra_polls(polls: Mapping[str, Any]) -> str:
    """How many polls are in no other number, and what they were made for."""
    return f"{counted(polls['extra'], 'poll')} to compare readers and overlapping messages"


def replicas_between(row: Mapping[str, Any]) -> str:
    """How many replicas the ends of the interval ask for, such as `24 to 29`, or the one end that it has."""
    fewest, most = row["fewest"], row["most"]
    if fewest is None or most is None:
        ends = [f"at least {fewest:,}" if fewest else "", f"at most {most:,}" if most else ""]
        return "".join(ends) or NOTHING
    return f"{fewest:,} to {most:,}"


def ratio(row: Mapping[str, Any]) -> str:
    """A ratio of two runs with its interval, such as `1.31x (1.12 to 1.55)`."""
    if row["ratio"] is None:
        return NOTHING
    ends = [NOTHING if end is None else f"{end:.2f}" for end in (row["low"], row["high"])]
    return f"{row['ratio']:.2f}x ({ends[0]} to {ends[1]})"


def own_reasons(result: Mapping[str, Any]) -> list[str]:
    """The reasons of a verdict that no row of the gates tells already."""
    told = {f"{gate['objective']}: {gate['sentence']}" for gate in result["gates"]}
    return [reason for reason in result["reasons"] if reason not in told]
