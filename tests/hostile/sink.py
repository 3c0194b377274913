"""What may stand in an output, byte by byte, and a server that says what may not wherever it can say anything."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator

from tests.hostile.lines import CORS, JSON, Line, right_answer

HOSTILE = (
    "\n::error title=x::forged\n\u2003 ::stop-commands::y\r::add-mask::z ##[error]w ##vso[task.complete]v "
    "\x1b[31m\x1b]52;c;aGk=\x07\x1b]0;owned\x1b\\ \x9b2J\x90q\x85 \x00\x08\x7f \u202eevil\u2066 \u200b\u200d\u2060"
    "\ufeff\u00ad\U000e0041\U000e0042 \u2028\u2029 \u3164\uffa0\u115f\u034f \ud83d \ufffe\uffff ]]><!-- </script>"
    "<script>document.title='owned'</script><img src=x onerror=alert(1)> &amp; \" ' | `x` **b** ![i](http://x.example) "
    "@team section_start:1:x\r\x1b[0K [bold]r[/] {{ 7*7 }} 👩🏽\u200d🚀"
)
_ID = HOSTILE.replace("\ud83d", "")
"""No client can send a lone surrogate back."""
_ON_THE_WIRE = HOSTILE.replace("\n", " ").replace("\r", " ").encode("latin-1", "replace").replace(b"\0", b" ")
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0\ufe00-\ufe0d\U000e0100-\U000e01ef]"
)
_OURS = re.compile(r"::(error|warning) title=[A-Z]+-\d+::[^\n]*")
_SHAPELESS = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def faults_of(written: bytes, *, log: bool = False) -> Iterator[str]:
    """What acts on who reads it, or hides, in a file or, with `log`, in what a CI runner reads line by line."""
    text = written.decode("utf-8")
    for character in sorted(set(text) - set("\n\t")):
        if unicodedata.category(character) in _SHAPELESS or _INVISIBLE.match(character):
            yield f"U+{ord(character):04X}"
    if log:
        yield from (line for line in commands(text) if not _OURS.fullmatch(line))


def commands(log: str) -> list[str]:
    """The lines that a runner would obey: GitHub's by ActionCommand.TryParseV2 and TryParse, Azure's, TeamCity's.

    The first trims the start of a line and looks for a second `::`; the others look for `##name[`, and a `]` behind it,
    anywhere in a line.
    """
    found = []
    for line in re.split("\r\n|\n|\r", log):
        trimmed = line.lstrip()
        if (trimmed.startswith("::") and "::" in trimmed[2:]) or re.search(r"##\w*\[[^\]]*\]", line):
            found.append(line)
    return found


def speak(line: Line) -> None:
    """A server that does its work, badly at times, and says hostile things in every place that it has for words."""
    while heard := line.request():
        method, target, _, _ = heard
        number = line.desk["requests"] = line.desk.get("requests", 0) + 1
        status, value = right_answer(method, target)
        if number % 11 == 0 and "/tasks/" in target:
            status, value = 500, {"error": {"code": HOSTILE, "message": HOSTILE}}
        elif target.endswith("/messages"):
            value = {"task_id": f"t{number}{_ID}", HOSTILE: HOSTILE}
        elif target.endswith("/conversations"):
            value = {"conversation_id": f"c{number}{_ID}"}
        elif "/tasks/" in target:
            value = _poll(number, target)
        body = json.dumps(value, ensure_ascii=number % 2 == 0).encode("utf-8", "surrogatepass")
        head = b"HTTP/1.1 %d %b\r\nX-Said: %b\r\n%bContent-Length: %d\r\n\r\n"
        line.send(head % (status, _ON_THE_WIRE, _ON_THE_WIRE, (JSON + CORS).encode(), len(body)) + body)


def _poll(number: int, target: str) -> object:
    """Events that change, with types and texts that mean harm, and a status that is no word."""
    events = [
        {"type": "text_chunk", "data": {"content": f"{number} {HOSTILE}"}},
        {"type": HOSTILE, HOSTILE: HOSTILE},
        {"type": "text_chunk", "data": {"content": [HOSTILE]}},
    ]
    offset: object = 3 if number % 5 else f"3{HOSTILE}"
    news = [] if target.endswith("from=3") else events
    return {"data": {"status": f"ended {HOSTILE}", "next_offset": offset, "events": news}}
