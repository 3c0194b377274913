r"""A stranger's text made fit to be shown: nothing in it can act where it lands, and what it holds can still be read.

Servers, files and workers choose their own words. Whatever a terminal would obey, whatever turns the order of reading
around, and whatever cannot be seen at all is written as its code, such as `\u202e`. That holds for joiners inside
emoji too: programs disagree on how wide a joined one is, and where such a sequence was cut over two chunks, its
joiner is what a reader must see. A presentation selector (U+FE0E, U+FE0F) stays, once, behind a sign that it styles.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

_INVISIBLE: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""What Python calls printable and nobody can see: Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties that
is no format character, and the blank of Braille."""
_SELECTORS: Final = "\ufe0e\ufe0f"
_SHORT_ESCAPES: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_MARKUP: Final = re.compile(r"""[^\w ,.:;()/=+'"-]|_|(?<=\w)\.(?=\w)|:(?=[\w/])""")
"""Signs that Markdown or HTML may take for their own; a stop and a colon only where they could make a link."""
_SPELLED: Final = {"µ": "u", "–": "-", "…": "...", "\xa0": " "}
SPELLED_OUT: Final = "sendpoll.spelled-out"
"""The name of the error handler of streams that cannot carry every character."""


def visible(text: str, keep: str = "") -> str:
    """The text with every character that is not plainly visible written as its code, but for those in `keep`.

    Those are control characters (C0, C1, DEL), format characters (directions, joiners, tags), line and paragraph
    separators, spaces other than the common one, lone surrogates, code points without a character, and marks that
    show nothing.
    """
    if text.isprintable() and not _INVISIBLE.search(text):
        return text
    shown: list[str] = []
    before = " "
    for character in text:
        shown.append(character if character in keep or _is_seen(character, before) else _escape(character))
        before = character
    return "".join(shown)


def _is_seen(character: str, before: str) -> bool:
    if _INVISIBLE.match(character):
        styled = before.isprintable() and not (before.isalnum() or before.isspace() or _INVISIBLE.match(before))
        return character in _SELECTORS and styled
    return character.isprintable()


def _escape(character: str) -> str:
    code = ord(character)
    return _SHORT_ESCAPES.get(character) or (f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}")


def one_line(text: str, limit: int = 300) -> str:
    """The text on one line, cut in its middle where it has more than `limit` characters, and then it says so."""
    if len(text) <= limit:
        return visible(text)
    tail = limit // 4
    cut = f" [... {len(text) - limit} characters ...] "
    return f"{visible(text[: limit - tail])}{cut}{visible(text[-tail:])}"


def markdown(text: str, limit: int = 300) -> str:
    """Text on one line in which nothing means anything to Markdown or HTML: each sign as its character reference."""
    return _MARKUP.sub(lambda sign: f"&#{ord(sign.group())};", one_line(text, limit))


def markdown_code(text: str, limit: int = 300) -> str:
    """What a stranger said: as `markdown`, in a font of its own, in which nobody is mentioned and nothing linked."""
    return f"<code>{markdown(text, limit)}</code>"


def encodable(text: str, encoding: str | None) -> str:
    """The text as a stream of that encoding can carry it: what it lacks by the nearest ASCII, or by its code."""
    name = encoding or "ascii"
    return text.encode(name, SPELLED_OUT).decode(name)


def _spelled_out(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    characters = error.object[error.start : error.end]
    return "".join(_SPELLED.get(character) or _escape(character) for character in characters), error.end


codecs.register_error(SPELLED_OUT, _spelled_out)
