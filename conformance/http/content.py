"""Bodies: decompressed within bounds, decoded, and parsed twice, strictly to judge and leniently to go on.

The strict reading is what the pickiest client accepts. The lenient one is what can still be made of the bytes, so that
one fault in the text does not hide everything that the text says.
"""

from __future__ import annotations

import json
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import brotli
import zstandard

from sendpoll.conformance.http.limits import BODY_LIMIT, VALUES_LIMIT

_MISSING = object()
_DEPTH_LIMIT = 900
"""Python's parser gives up near 1000 levels; JSON-3 wants answers to stay well below."""
_DIGIT_LIMIT = 4300
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)  # possessive: without memory of the way back
_STRING_BYTES = re.compile(_STRING.pattern.encode(), re.DOTALL)


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


class _UndecodableError(ValueError):
    """The body is not in the coding that its header names."""


def read_content(body: bytes, coding: str | None) -> Content:
    """Read a body. Never raises: what cannot be read is told in `faults`."""
    faults: dict[str, str] = {}
    try:
        raw = decompress(body, coding)
    except _UndecodableError as error:
        return Content(faults={"ENC-7": str(error)}, empty=not body)
    if not raw:
        return Content()
    if len(raw) > BODY_LIMIT:
        return Content(empty=False, flood=f"the body unpacks to more than {BODY_LIMIT} bytes")
    if _signs(raw) > VALUES_LIMIT and _signs(_STRING_BYTES.sub(b"", raw)) > VALUES_LIMIT:
        return Content(empty=False, flood=f"the body holds more than {VALUES_LIMIT} values")
    text = _decode(raw, faults)
    value, parsed = _parse(text, faults)
    return Content(text=text, value=value, parsed=parsed, faults=faults, empty=False)


def decompress(body: bytes, coding: str | None) -> bytes:
    """The body without its content coding, cut off behind the byte limit."""
    name = (coding or "identity").strip().lower()
    try:
        if name in {"identity", ""}:
            return body
        if name in {"gzip", "x-gzip"}:
            return _inflate(body, 31)
        if name == "deflate":
            return _inflate(body, 15 if _is_zlib(body) else -15)
        if name == "br":
            return _unbrotli(body)
        if name == "zstd":
            return zstandard.ZstdDecompressor().stream_reader(body).read(BODY_LIMIT + 1)
    except (zlib.error, brotli.error, zstandard.ZstdError) as error:
        raise _UndecodableError(f"Content-Encoding says {name}, and the body is not: {error}") from error
    raise _UndecodableError(f"Content-Encoding {name!r} is known to no client")


def _is_zlib(body: bytes) -> bool:
    """Whether deflated data have the frame that RFC 9110 asks for; all clients that offer it do without."""
    return len(body) > 1 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0


def _unbrotli(body: bytes) -> bytes:
    decompressor = brotli.Decompressor()
    plain = bytes(decompressor.process(body, output_buffer_limit=BODY_LIMIT + 1)[: BODY_LIMIT + 1])
    if not decompressor.is_finished() and decompressor.can_accept_more_data():
        raise brotli.error("the compressed data end too early")
    return plain


def _inflate(body: bytes, window: int) -> bytes:
    inflater = zlib.decompressobj(window)
    plain = inflater.decompress(body, BODY_LIMIT + 1)
    if not inflater.eof and not inflater.unconsumed_tail:
        raise zlib.error("the compressed data end too early")
    return plain


def _decode(raw: bytes, faults: dict[str, str]) -> str:
    if raw.startswith(b"\xef\xbb\xbf"):
        faults["JSON-1"] = "the body begins with a byte order mark"
        raw = raw[3:]
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        shown = raw[max(0, error.start - 8) : error.end + 8].hex(" ")
        faults["ENC-1"] = f"byte {error.start} of the body is no valid UTF-8 ({error.reason}): ... {shown} ..."
        return raw.decode("utf-8", "replace")


def _parse(text: str, faults: dict[str, str]) -> tuple[Any, bool]:
    depth = nesting(text)
    if depth > _DEPTH_LIMIT:
        faults["JSON-3"] = f"the body nests {depth} levels deep"
        return None, False
    value = _strict(text, faults)
    if value is _MISSING:
        value = _lenient(text)
        if value is _MISSING:
            return None, False
    return value, True


def _signs(raw: bytes) -> int:
    """How many signs there are that a value of a JSON text stands behind."""
    return raw.count(b"{") + raw.count(b"[") + raw.count(b",")


def nesting(text: str) -> int:
    """How deep the brackets of a JSON text go, counted without recursion and without what stands in strings."""
    depth = deepest = 0
    for bracket in re.finditer(r"[\[\]{}]", _STRING.sub("", text)):
        depth += 1 if bracket[0] in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _strict(text: str, faults: dict[str, str]) -> Any:
    def constant(name: str) -> float:
        faults["JSON-2"] = f"the body holds {name}, which is no JSON"
        return 0.0

    def integer(digits: str) -> int | float:
        if len(digits) >= _DIGIT_LIMIT:
            faults["JSON-3"] = f"the body holds an integer of {len(digits)} digits"
            return float("inf")
        return int(digits)

    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(members)
        if len(found) < len(members):
            repeated = next(key for key, count in Counter(key for key, _ in members).items() if count > 1)
            faults["JSON-4"] = f"the key {json.dumps(repeated[:60])} stands twice in one object"
        return found

    try:
        return json.loads(text, parse_constant=constant, parse_int=integer, object_pairs_hook=pairs)
    except json.JSONDecodeError as error:
        around = text[max(0, error.pos - 12) : error.pos + 12]
        faults.setdefault("JSON-1", f"{error.msg} at character {error.pos}, near {json.dumps(around)}")
    except RecursionError:
        faults["JSON-3"] = "the body nests deeper than Python's parser follows"
    return _MISSING


def _lenient(text: str) -> Any:
    """The object or array at the beginning, behind a prefix such as `)]}'`; control characters, commas forgiven."""
    start = re.search(r"[{\[]", text[:16])
    if start is None:
        return _MISSING
    decoder = json.JSONDecoder(strict=False)
    for candidate in (text[start.start() :], re.sub(r",(\s*[}\]])", r"\1", text[start.start() :])):
        try:
            value, _ = decoder.raw_decode(candidate)
        except (ValueError, RecursionError):
            continue
        return value
    return _MISSING


def strings(value: Any) -> Iterator[str]:
    """Every string in a JSON value, keys included, walked without recursion."""
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            yield node
        elif isinstance(node, dict):
            waiting.extend(node.keys())
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def has_lone_surrogate(text: str) -> bool:
    """Whether a string that came out of JSON holds half of a surrogate pair."""
    return any("\ud800" <= character <= "\udfff" for character in text)
