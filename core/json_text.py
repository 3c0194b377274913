"""One strict reader of JSON texts, for all judges: what the pickiest client accepts, and what can be made of the rest.

The lenient reading is what can still be made of the bytes, so that one fault in the text does not hide everything that
the text says. `plain_value` is the short way of whoever reads thousands a second: it answers where nothing can be wrong
that the strict reading would tell, and leaves the rest to it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from json.scanner import make_scanner
from typing import Any, Final, NoReturn

MISSING: Final = object()
"""What stands for no value at all."""
VALUES_LIMIT: Final = 250_000
"""Brackets that open and commas of one JSON text; more is a flood: what is short to send can be long to hold."""
DEPTH_LIMIT: Final = 900
"""Python's parser gives up near 1000 levels; JSON-3 wants answers to stay well below."""
DIGIT_LIMIT: Final = 4300
"""Digits of the longest integer that Python reads."""
_HOLDERS: Final = frozenset({dict, list})
_STRING: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)  # possessive: without memory of the way back
_STRING_BYTES: Final = re.compile(_STRING.pattern.encode(), re.DOTALL)


def is_flood(raw: bytes) -> bool:
    """Whether a text holds more values than anybody reads."""
    return _signs(raw) > VALUES_LIMIT and _signs(_STRING_BYTES.sub(b"", raw)) > VALUES_LIMIT


def _signs(raw: bytes) -> int:
    """How many signs there are that a value of a JSON text stands behind."""
    return raw.count(b"{") + raw.count(b"[") + raw.count(b",")


def plain_value(raw: bytes) -> Any:
    """The value of a text in which nothing is wrong; MISSING where that is not certain.

    It passes over a key that stands twice, which JSON-4 tells and no client minds.
    """
    try:
        text = raw.decode()
        value, end = _SCAN(text, 0)
    except (StopIteration, ValueError, RecursionError):
        return MISSING
    if end != len(text):
        return MISSING
    if len(raw) > 2 * DEPTH_LIMIT and raw.count(b"{") + raw.count(b"[") > DEPTH_LIMIT and _is_deep(value):
        return MISSING
    return value


def _is_deep(value: Any) -> bool:
    level, depth = [value] if type(value) in _HOLDERS else [], 0
    while level:
        depth += 1
        level = [
            inner
            for node in level
            for inner in (node.values() if type(node) is dict else node)
            if type(inner) in _HOLDERS
        ]
    return depth > DEPTH_LIMIT


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


_SCAN: Final[Callable[[str, int], tuple[Any, int]]] = make_scanner(
    json.JSONDecoder(parse_constant=_refuse_constant)  # type: ignore[arg-type]  # any decoder will do
)


def decode_text(raw: bytes, faults: dict[str, str]) -> str:
    """The text of a body, behind a byte order mark; bytes that are no UTF-8 become replacement characters."""
    if raw.startswith(b"\xef\xbb\xbf"):
        faults["JSON-1"] = "the body begins with a byte order mark"
        raw = raw[3:]
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        shown = raw[max(0, error.start - 8) : error.end + 8].hex(" ")
        faults["ENC-1"] = f"byte {error.start} of the body is no valid UTF-8 ({error.reason}): ... {shown} ..."
        return raw.decode("utf-8", "replace")


def parse(text: str, faults: dict[str, str]) -> Any:
    """The value of a text, read strictly and else leniently; MISSING where nothing can be made of it."""
    depth = nesting(text)
    if depth > DEPTH_LIMIT:
        faults["JSON-3"] = f"the body nests {depth} levels deep"
        return MISSING
    value = _strict(text, faults)
    return _lenient(text) if value is MISSING else value


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
        length = len(digits.removeprefix("-"))
        if length > DIGIT_LIMIT:
            faults["JSON-3"] = f"the body holds an integer of {length} digits"
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
    return MISSING


def _lenient(text: str) -> Any:
    """The object or array at the beginning, behind a prefix such as `)]}'`; control characters, commas forgiven."""
    start = re.search(r"[{\[]", text[:16])
    if start is None:
        return MISSING
    decoder = json.JSONDecoder(strict=False)
    for candidate in (text[start.start() :], re.sub(r",(\s*[}\]])", r"\1", text[start.start() :])):
        try:
            value, _ = decoder.raw_decode(candidate)
        except (ValueError, RecursionError):
            continue
        return value
    return MISSING


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
    return not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)
