"""When a server wants to be asked again: the Retry-After of an answer, in either of its forms (RFC 9110, 10.2.3)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_LONGEST = 10 * 366 * 86400.0
"""Seconds: whoever names more means never, and arithmetic goes on."""


def retry_after(value: str | None, *, date: str | None = None, now: datetime | None = None) -> float | None:
    """Seconds to wait, from the value of Retry-After; None where there is none that can be read.

    It is a number of seconds, or a date in any of the three forms that a recipient must read (RFC 9110, 5.6.7). A date
    counts from `date`, the answer's own Date, since clocks differ; without one, from `now`. A date that has passed, and
    a leap second that no calendar holds, mean no wait or about that.
    """
    told = (value or "").strip(" \t")
    if re.fullmatch("[0-9]+", told):
        return min(_LONGEST, float(told[:20]))
    until = _moment(told)
    if until is None:
        return None
    since = _moment((date or "").strip(" \t")) or now or datetime.now(UTC)
    return min(_LONGEST, max(0.0, (until - since).total_seconds()))


def is_date(value: str | None) -> bool:
    """Whether the value is a date, as a reader of digits alone would not see."""
    return _moment((value or "").strip(" \t")) is not None


def _moment(text: str) -> datetime | None:
    if not re.search("[A-Za-z]", text) or len(text) > 60:
        return None
    try:
        moment = parsedate_to_datetime(re.sub(r"(:[0-5][0-9]):60\b", r"\1:59", text))
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
