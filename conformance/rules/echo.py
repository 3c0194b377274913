"""What an agent that repeats its message shows of the characters of the message that were lost on the way. Pure."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

_LOOKED_AT = 64 * 1024
"""Characters of an answer in which a message is looked for."""
_ATTACHED = frozenset({"Mn", "Me", "Cf", "Sk"})
"""Categories of what belongs to the character before it; an agent may leave a joiner or a tone mark out."""
_QUOTED = re.compile("「(.*)」", re.DOTALL)
_CONTEXT = 4
"""Characters of a message by which a place in it is known."""
_TAIL = 8
"""Characters at its end by which it is known to be whole."""


@dataclass(frozen=True, slots=True)
class Echo:
    """A message found in an answer: all of its plain text, and perhaps not all that is beyond ASCII."""

    kept: frozenset[str]
    """Characters beyond ASCII that stand in it."""
    lost: frozenset[str]
    """Characters of which at least one occurrence does not: there is a sign of its loss in its place, or nothing."""


def repeats_plain_words(message: str, text: str) -> bool:
    """Whether every word of a message that is plain ASCII stands in an answer."""
    return all(word in text for word in message.split() if word.isascii())


def find_echo(message: str, text: str) -> Echo | None:
    """The message in the answer, with "?" or U+FFFD or nothing for what is beyond ASCII; None where it is not there."""
    if "\ufffd" in message or not any(word.isascii() for word in message.split()):
        return None
    found = re.search("".join(map(_pattern, message)), _without_marks(text), re.DOTALL)
    if found is None:
        return None
    there = found.group()
    beyond = {character for character in message if not character.isascii() and not _is_attached(character)}
    lost = {character for character in beyond if there.count(character) < message.count(character)}
    return Echo(frozenset(character for character in beyond if character in there), frozenset(lost))


def garbled_echo(message: str, text: str) -> Echo | None:
    """An answer that repeats all plain words of a message, whatever it has in place of the others; None where none.

    It tells of a loss only beside an answer to the same message, spelt otherwise, that has the whole of it.
    """
    if not repeats_plain_words(message, text):
        return None
    beyond = frozenset(one for one in message if not one.isascii() and not _is_attached(one))
    kept = frozenset(one for one in beyond if one in text)
    return Echo(kept, beyond - kept)


def find_repeated(message: str, text: str) -> Echo | None:
    """The message in the answer, or at least what is quoted in it: an agent that obeys repeats no more."""
    quoted = _QUOTED.search(message)
    return find_echo(message, text) or (find_echo(quoted.group(1), text) if quoted else None)


def shows_halves(chunks: Iterable[str]) -> bool:
    """Whether a chunk ends with U+FFFD and the next that shows anything begins with it: there was one character."""
    shown = (text for chunk in chunks if (text := "".join(filter(_is_visible, chunk))))
    return any(one[-1] == other[0] == "\ufffd" for one, other in itertools.pairwise(shown))


def _is_visible(character: str) -> bool:
    return not character.isspace() and unicodedata.category(character) not in {"Cf", "Cc"}


def cut_character(message: str, text: str) -> str | None:
    """What stands before the U+FFFD in which a message ends that was cut by bytes; None where it was not."""
    message, text = _without_marks(message), _without_marks(text)
    if "\ufffd" in message or message[-_TAIL:] in text:
        return None
    for found in re.finditer("\ufffd", text):
        before = text[max(0, found.start() - _CONTEXT) : found.start()]
        at = message.find(before) + len(before) if len(before) == _CONTEXT and before in message else len(message)
        if at < len(message) and not message[at].isascii():
            return before
    return None


def _without_marks(text: str) -> str:
    """The answer, as far as it is looked at, without what only joins or directs the characters beside it."""
    return "".join(character for character in text[:_LOOKED_AT] if unicodedata.category(character) != "Cf")


def _pattern(character: str) -> str:
    if character.isascii():
        return re.escape(character)
    return f"(?>{re.escape(character)}|[?\ufffd]{{1,4}}|)"


def _is_attached(character: str) -> bool:
    return unicodedata.category(character) in _ATTACHED
