"""Whether what a program printed holds an answer: whole, once, in order, and not mixed with anything else.

The rule is what a person reads, not how a program prints. Chunks may be joined, stand on lines of their own, each
follow a label, be wrapped at a space, come all at the end, and have any text before the first and behind the last.
Between two chunks there may be white space, or lines of something else that begin behind a line end. Within a chunk
each character counts; of white space where a chunk begins or ends, that there is some, and a line end where there is
one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
"""Control sequences of ECMA-48: colours, and what moves a cursor."""
_NOTHINGS = frozenset({"null", "None", "undefined", "nil", "NaN", "[object Object]"})
"""What languages print for a value that is not there, or that is no text."""
_TELLING = 4
"""Characters, white space apart, from which on a chunk is known again where it stands a second time."""
_JOINING = frozenset({"Mn", "Mc", "Me", "Cf"})
"""Unicode categories of what belongs to the character before it: marks, and joiners as within families of emoji."""
_SHOWN = 40
_BLANK = re.compile(r"\s*")
_LINE_END = re.compile(r"[^\S\n]*\n")


def lack(chunks: Sequence[str], output: str, foreign: Sequence[str] = ()) -> str:
    """What an output lacks, or has too much, to show the chunks: the end of a sentence that begins `It`.

    Empty if a person reads just them. `foreign` are texts that a right client skips: on a line of their own they pass
    for a part of the answer.
    """
    pieces = _pieces(chunks)
    seen = _normal(_screen(output))
    start, end, wrong = _found(pieces, seen)
    if wrong:
        return wrong
    whole = "".join(pieces)
    again = (piece.strip() for piece in pieces if _is_telling(piece))
    if twice := next((piece for piece in again if seen.count(piece) > whole.count(piece)), None):
        return f"showed {_quoted(twice)} twice"
    inside = {line.strip() for line in seen[start:end].splitlines()}
    if mixed := next((text for text in foreign if _normal(text) in inside), None):
        return f"showed {_quoted(mixed)}, of an event that is no text_chunk, within the answer"
    if nothing := next((line for line in inside if line in _NOTHINGS), None):
        return f"showed {nothing!r} within the answer, for a value that is not there"
    return ""


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _screen(output: str) -> str:
    """The output without what only moves a cursor or colours; a line that is begun anew stands on its own."""
    text = _ANSI.sub("", output).replace("\r\n", "\n").replace("\r", "\n")
    while "\b" in text.lstrip("\b"):
        text = re.sub("[^\b]\b", "", text.lstrip("\b"))
    return text


def _pieces(chunks: Sequence[str]) -> list[str]:
    """The chunks that have something to see; white space alone belongs to the one before it, a mark to its letter."""
    pieces: list[str] = []
    for chunk in chunks:
        joins = bool(chunk) and (chunk.isspace() or unicodedata.category(chunk[0]) in _JOINING)
        if pieces and (joins or not pieces[-1].strip()):
            pieces[-1] += chunk
        elif chunk:
            pieces.append(chunk)
    return list(map(_normal, pieces))


def _found(pieces: Sequence[str], seen: str) -> tuple[int, int, str]:
    """From where to where the pieces stand in a text, and in what they do not."""
    start = end = 0
    for number, piece in enumerate(pieces):
        pattern = re.compile("".join(_pattern(piece.strip())))
        match = pattern.search(seen) if number == 0 else _next(pieces[number - 1], piece, pattern, seen, end)
        if match is None:
            return 0, 0, _what_is_wrong(f"chunk {number + 1} of {len(pieces)}", piece, pattern, seen, end)
        start = match.start() if number == 0 else start
        end = match.end()
    return start, end, ""


def _next(before: str, piece: str, pattern: re.Pattern[str], seen: str, at: int) -> re.Match[str] | None:
    """Where a piece stands behind the one before it, with nothing between them that garbles them."""
    edge = before[len(before.rstrip()) :] + piece[: len(piece) - len(piece.lstrip())]
    blank = _BLANK.match(seen, at)
    assert blank is not None  # noqa: S101 - it matches everywhere
    if ("\n" in edge and "\n" not in blank.group()) or (edge and not blank.group()):
        return None
    if match := pattern.match(seen, blank.end()):
        return match
    return pattern.search(seen, at) if _LINE_END.match(seen, at) else None


def _pattern(piece: str) -> Iterator[str]:
    """The piece, in which a space may have become a line end where a program wraps its lines."""
    for run in re.split(r"(\s+)", piece):
        if not run.isspace():
            yield re.escape(run)
        elif "\n" in run:
            yield r"[^\S\n]*" + r"\n[^\S\n]*" * run.count("\n")
        else:
            yield r"\s+"


def _what_is_wrong(which: str, piece: str, pattern: re.Pattern[str], seen: str, at: int) -> str:
    later = pattern.search(seen, at)
    if later is not None:
        between = seen[at : later.start()]
        said = f"showed {_quoted(between)} in the midst of it" if between.strip() else "lost white space"
        return f"{said}, before {which}, {_quoted(piece)}"
    if pattern.search(seen):
        return f"showed {which}, {_quoted(piece)}, out of its order"
    rest = " ".join(seen[at:].split())
    goes_on = f"goes on with {_quoted(rest)}" if rest else "ends before it"
    return f"did not show {which}, {_quoted(piece)}, as it was sent: what it printed {goes_on}"


def _quoted(text: str) -> str:
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    return f'"{shown}"' if shown.isprintable() else ascii(shown)


def _is_telling(piece: str) -> bool:
    return len("".join(piece.split())) >= _TELLING
