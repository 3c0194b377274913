"""Reads the heads of answers at the cost of a look-up, and refuses what breaks a published client.

A generator reads thousands of answers a second whose heads differ at most in their date, so a head is parsed once and
remembered by its bytes. The grammar is `sendpoll.core.http`'s, as the suite's is: what it calls a fault, this refuses.
"""

from __future__ import annotations

from typing import Final

from sendpoll.core.http.head import Fault, Head, NotHttpError, parse_head
from sendpoll.core.http.limits import BODY_LIMIT
from sendpoll.core.http.retry_after import retry_after

_REMEMBERED_HEADS: Final = 512


class MalformedAnswerError(Exception):
    """The answer is no HTTP that every client reads. `faults` names the catalogue rows that it breaks; perhaps none."""

    def __init__(self, sentence: str, *faults: Fault) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.faults = faults


def malformed(*faults: Fault) -> MalformedAnswerError:
    """The error for an answer with at least one fault."""
    return MalformedAnswerError(faults[0].sentence, *faults)


def too_large() -> MalformedAnswerError:
    """The error for a body beyond the cap, which breaks no row."""
    return MalformedAnswerError(f"the body is larger than {BODY_LIMIT // (1024 * 1024)} MiB")


class HeadReader:
    """Parses heads, remembering the last few hundred different ones."""

    def __init__(self) -> None:
        self.known: dict[bytes, Head] = {}
        """Those that are remembered: nearly every answer's is, and a look-up costs less than a call."""

    def read(self, raw: bytes) -> Head:
        """The meaning of a head, given with the ends of its lines and without the blank one.

        Raises MalformedAnswerError for a head with a fault.
        """
        known = self.known.get(raw)
        if known is not None:
            return known
        try:
            head = parse_head(raw)
        except NotHttpError as error:
            raise malformed(Fault("HTTP-4", f"no HTTP answer: {error}")) from error
        if head.faults:
            raise malformed(*head.faults)
        if len(self.known) >= _REMEMBERED_HEADS:
            self.known.clear()
        self.known[raw] = head
        return head


def retry_after_of(head: Head) -> float | None:
    """Seconds for which the server asks to be left alone, from now on; None where it does not say."""
    told = {name.lower(): value for name, value in head.headers}
    return retry_after(told.get("retry-after"), date=told.get("date"))
