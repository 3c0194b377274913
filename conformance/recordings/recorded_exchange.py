"""One exchange as a recording has it: what was asked of which URL, what came, when, and what nobody wrote down.

Readers of files make these, and so does whoever watches live traffic; the judge (`judge.py`) takes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from sendpoll.conformance.http.exchange import Failure, Response, Timing
from sendpoll.core.http.head import Fault


class Facet(StrEnum):
    """A side of an exchange that a recording may not have; a row that hangs on it cannot be told from the rest."""

    FRAMING = "framing"
    """The bytes on the connection: lengths, chunks, line ends, interim answers, what stood behind the answer."""
    RAW_HEADERS = "raw headers"
    """Each header line of the answer as it came, repeated ones apart."""
    BODY_BYTES = "body bytes"
    """The body of the answer as it came: its coding, its byte order mark, bytes that are no UTF-8."""
    RESPONSE_BODY = "response body"
    """What the answer said at all."""
    REQUEST_BODY = "request body"
    """What the request said."""
    REQUEST_HEADERS = "request headers"
    """All headers of the request: Accept-Encoding, Authorization."""
    PAUSES = "pauses"
    """How long it was silent between two bytes of an answer that took its time."""
    OUTCOME = "outcome"
    """Why no answer came: whether the server or the client let go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedExchange:
    """One exchange out of a recording. Where the API is found under its URL, and in it, is not its business."""

    url: str
    """Whole, as it was asked, without a fragment."""
    method: str
    request_headers: tuple[tuple[str, str], ...] = ()
    request_body: bytes | None = None
    """None where there was none, and where it was not recorded (`lacks`)."""
    response: Response | None = None
    """With its content coding on, unless `decoded`; None where no answer came, or its head never did."""
    decoded: bool = False
    """Whether the recorder has undone the content coding that the headers still tell of."""
    timing: Timing
    """In seconds since the epoch (1970), by the clock of whoever recorded it."""
    failure: Failure | None = None
    """Why there is no whole answer, as far as the server is concerned; a client that left is no failure of it."""
    abandoned: bool = False
    """Whether the client went away before it had the whole answer."""
    detail: str = ""
    """What the recorder said of the failure."""
    stray: tuple[Fault, ...] = ()
    """Faults of bytes that came to no answer."""
    connection: str = ""
    """Which connection it went over; empty where nobody knows."""
    client: str = ""
    """Who asked, as far as the recorder tells it: an address, a page, a name; empty where it does not."""
    lacks: frozenset[Facet] = frozenset()
    by_suite: bool = False
    """Whether the suite itself asked, which does on purpose what no client does and is judged as none."""
    place: str = ""
    """Where it stands in the recording, for a person: `entry 12`, `line 3`."""

    @property
    def origin(self) -> str:
        """Scheme, host and port of the server that was asked."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def target(self) -> str:
        """Path and query."""
        parts = urlsplit(self.url)
        return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"

    def request_header(self, name: str) -> str | None:
        """The first value of a header of the request, in any case of its name."""
        return next((value for key, value in self.request_headers if key.lower() == name), None)
