"""What a body says, its content coding undone, and what is wrong with how it says it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sendpoll.core.http.coding import UndecodableError, decode
from sendpoll.core.http.limits import BODY_LIMIT
from sendpoll.core.json_text import MISSING, VALUES_LIMIT, decode_text, is_flood, parse, plain_value


@dataclass(frozen=True, slots=True)
class Content:
    """What a body says, and what is wrong with how it says it."""

    text: str = ""
    value: Any = None
    parsed: bool = False
    """Whether any JSON value could be made of it."""
    faults: dict[str, str] = field(default_factory=dict)
    """Requirement id to the sentence that tells how the bytes break it."""
    empty: bool = True
    flood: str = ""
    """How it is more than anybody reads; then nothing else is said of it."""

    @property
    def is_json_like(self) -> bool:
        """Whether the body is JSON, or JSON gone wrong, rather than some other kind of text."""
        return self.parsed or self.text.lstrip()[:1] in {"{", "["}

    @property
    def is_whole(self) -> bool:
        """Whether it is a JSON text without a fault."""
        return self.parsed and not self.faults


def read_content(body: bytes, coding: str | None) -> Content:
    """Read a body. Never raises: what cannot be read is told in `faults`."""
    faults: dict[str, str] = {}
    try:
        raw = decode(body, coding or "", BODY_LIMIT)
    except UndecodableError as error:
        return Content(faults={"ENC-7": str(error)}, empty=not body)
    if not raw:
        return Content()
    if len(raw) > BODY_LIMIT:
        return Content(empty=False, flood=f"the body unpacks to more than {BODY_LIMIT} bytes")
    if is_flood(raw):
        return Content(empty=False, flood=f"the body holds more than {VALUES_LIMIT} values")
    text = decode_text(raw, faults)
    value = parse(text, faults)
    parsed = value is not MISSING
    return Content(text=text, value=value if parsed else None, parsed=parsed, faults=faults, empty=False)


class FaultyContentError(ValueError):
    """A body that not every client can read; `content` says what can be made of it and why."""

    def __init__(self, content: Content) -> None:
        super().__init__("; ".join(content.faults.values()) or content.flood or "the body is no JSON")
        self.content = content


def strict_value(body: bytes) -> Any:
    """The JSON value of a body without content coding, by the shortest way. Raises FaultyContentError."""
    value = plain_value(body)
    if value is not MISSING:
        return value
    content = read_content(body, None)
    if content.parsed and content.faults.keys() <= {"JSON-4"}:
        return content.value
    raise FaultyContentError(content)


def says_all(body: bytes, coding: str) -> bool:
    """Whether a body is a whole JSON text, so that a fault of its framing took nothing away."""
    return read_content(body, coding).is_whole
