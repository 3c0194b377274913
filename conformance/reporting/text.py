"""Text of a server made fit to be shown: nothing in it can move a cursor, turn a line around, or fail to be written."""

from __future__ import annotations


def visible(text: str, keep: str = "") -> str:
    """The text with everything that is no printable character written as an escape, but for those in `keep`.

    That covers control characters, which a terminal obeys, bidirectional marks, which make a line read as another, and
    lone surrogates, which no encoding can carry.
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character in keep else _escape(character) for character in text
    )


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def one_line(text: str, limit: int) -> str:
    """The text on one line, cut in its middle where it has more than `limit` characters, and then it says so."""
    if len(text) <= limit:
        return visible(text)
    tail = limit // 4
    cut = f" [... {len(text) - limit} characters ...] "
    return f"{visible(text[: limit - tail])}{cut}{visible(text[-tail:])}"


def encodable(text: str, encoding: str | None) -> str:
    """The text with what the encoding lacks written as escapes, so that no stream can choke on it."""
    name = encoding or "ascii"
    return text.encode(name, "backslashreplace").decode(name)


def plural(count: int, noun: str) -> str:
    """A number with its noun: `1 request`, `2 requests`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
