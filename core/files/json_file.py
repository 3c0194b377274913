"""JSON as files hold it: RFC 8259 and nothing more, no name twice in an object, bounded in depth and number."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final, NoReturn

from sendpoll.core.files.errors import FileError
from sendpoll.core.files.parsed import DEPTH, Parsed

_STRUCTURE: Final = 200_000
"""Brackets and commas, ten times those of a report of 2,000 requests: what is short to write can be long to hold."""
_LARGEST: Final = 2**63
"""Numbers from here on are no counts of anything, and overflow what calculates with them."""


def parse_json(text: str, source: str) -> Parsed:
    """The value of a JSON text; `source` is the file that an error names. Raises FileError."""
    if sum(map(text.count, "[{,")) > _STRUCTURE:
        raise FileError(f"{source} holds more values than any such file; is it the right one?")
    try:
        value = json.loads(
            text, parse_constant=_no_number, parse_int=_integer, parse_float=_float, object_pairs_hook=_object
        )
    except json.JSONDecodeError as error:
        raise FileError(f"{source} is no JSON: line {error.lineno}, column {error.colno}: {error.msg}") from error
    except RecursionError as error:
        raise FileError(f"{source} is nested more than {DEPTH} levels deep") from error
    except ValueError as error:
        raise FileError(f"{source}: {error}") from error
    if _is_deep(value):
        raise FileError(f"{source} is nested more than {DEPTH} levels deep")
    return Parsed(value)


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"it holds {word}, which is no JSON")


def _integer(digits: str) -> int:
    number = int(digits) if len(digits) <= 20 else _LARGEST
    if abs(number) >= _LARGEST:
        raise ValueError(f"the number {digits[:20]}... is larger than any in such a file")
    return number


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"the number {digits[:20]} is larger than any in such a file")
    return number


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the name {twice[:40]!r} stands twice in one object; leave one of them out")
    return made


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEPTH + 1):
        level = [member for one in level for member in _members(one)]
        if not level:
            return False
    return True


def _members(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
