"""The hostile servers, as a table."""

from __future__ import annotations

import base64
import itertools
import json
import re
import socket
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from tests.hostile import polls
from tests.hostile.lines import JSON, Attack, Line, right_answer, serve_right

TOKEN = "Canary+7f3a/9c=of~the-first"
SECOND_TOKEN = "Canary+b41d/2e=of~the-second"
HOSTILE_TEXT = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\x1b]0;owned\x07\x1b[31m&\u202e"

_OK = f"HTTP/1.1 200 OK\r\n{JSON}".encode()
_SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Hostile:
    """A server that attacks."""

    name: str
    deed: str
    attack: Attack
    exits: frozenset[int]
    """The exit codes that fit: 1 where something was seen to be wrong, 3 where nothing could be seen."""


def percent_encoded(token: str) -> str:
    """The token percent-encoded with small hexadecimal digits."""
    return re.sub("%..", lambda match: match[0].lower(), quote(token, safe=""))


def _silent(line: Line) -> None:
    line.hold()


def _closes(line: Line) -> None:
    del line


def _drips(head: bytes, drip: bytes) -> Attack:
    def attack(line: Line) -> None:
        while line.request():
            line.send(head)
            for byte in itertools.cycle(drip):
                if not line.pause(1.0):
                    return
                line.send(bytes([byte]))

    return attack


def _floods(head: bytes, part: bytes) -> Attack:
    def attack(line: Line) -> None:
        while line.request():
            line.send(head)
            while not line.stopping.is_set():
                line.send(part)

    return attack


def _says(answer: Callable[[], bytes], *, close: bool = True) -> Attack:
    made: list[bytes] = []

    def attack(line: Line) -> None:
        while line.request():
            made[:] = made or [answer()]
            line.send(made[0])
            if close:
                return
            line.hold()

    return attack


def _bomb() -> bytes:
    """A mebibyte that becomes a gibibyte."""
    coder = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(1024 * 1024)
    body = b"".join(coder.compress(zeros) for _ in range(1024)) + coder.flush()
    return _OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def _many_headers() -> bytes:
    lines = b"".join(b"X-%d: 1\r\n" % number for number in range(100_000))
    return _OK + lines + b"Content-Length: 2\r\n\r\n{}"


def _nested() -> bytes:
    body = b"[" * 100_000 + b"]" * 100_000
    return _OK + b"Content-Length: %d\r\n\r\n" % len(body) + body


def _garbage() -> bytes:
    return bytes((number * 197 + number // 7) % 256 for number in range(100_000))


def _resets(line: Line) -> None:
    if line.request():
        line.send(_OK + b'Content-Length: 1000\r\n\r\n{"data":')
        line.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _redirects_in_a_circle(line: Line) -> None:
    while heard := line.request():
        line.reply(307, b"{}", f"Location: {heard[1]}")


def redirects_to(port: int) -> Attack:
    """Redirect every call to another origin."""

    def attack(line: Line) -> None:
        while heard := line.request():
            line.reply(308, b"{}", f"Location: http://127.0.0.2:{port}{heard[1]}")

    return attack


def _ten_megabytes(line: Line) -> None:
    events = [{"type": "text_chunk", "data": {"content": "你好 " * 100 + str(at)}} for at in range(14_000)]
    while heard := line.request():
        status, value = right_answer(heard[0], heard[1])
        if "data" in value:
            value["data"]["next_offset"] = len(events)
            value["data"]["events"] = events if value["data"]["events"] else []
        line.reply(status, json.dumps(value, ensure_ascii=False).encode())


def _empty_objects(line: Line) -> None:
    while line.request():
        line.reply(200, b"{}")


def _dies_half_way(line: Line) -> None:
    def alive(number: int) -> bool:
        line.desk["dead"] = number >= 60
        return number < 60

    serve_right(line, alive)


def _slows_down(line: Line) -> None:
    serve_right(line, lambda number: line.pause(0.05 * number))


def _echoes(line: Line) -> None:
    """Whatever is asked, the answer holds the token: raw, percent-encoded and in base64."""
    while heard := line.request():
        method, target, headers, body = heard
        token = headers.get("authorization", "").removeprefix("Bearer ")
        forms = [
            headers.get("authorization", ""),
            token,
            quote(token, safe=""),
            percent_encoded(token),
            base64.b64encode(token.encode()).decode(),
            base64.b64encode(f"Bearer {token}".encode()).decode(),
            base64.urlsafe_b64encode(token.encode()).decode().rstrip("="),
        ]
        status, value = right_answer(method, target)
        said = {**value, "you_sent": forms, "body": body.decode("utf-8", "replace")}
        if "data" in value:
            said["data"]["events"] = [{"type": "text_chunk", "data": {"content": form}} for form in forms]
        line.reply(
            500 if "conv" in target else status, json.dumps(said).encode(), f"X-Token: {token}", f"X-Url: {forms[2]}"
        )


def _hostile_text(line: Line) -> None:
    """A task that never agrees with itself, told in text that attacks pages and terminals."""
    for number in itertools.count():
        heard = line.request()
        if heard is None:
            return
        status, value = right_answer(heard[0], heard[1])
        if "data" in value:
            value["data"]["status"] = HOSTILE_TEXT
            value["data"]["events"] = [{"type": HOSTILE_TEXT, "data": {"content": f"{HOSTILE_TEXT}{number}"}}]
        line.reply(status, json.dumps({**value, "note": HOSTILE_TEXT}).encode(), "X-Note: <script>alert(3)</script>")


def _runs_for_ever(line: Line) -> None:
    """A task that has news at every poll and never ends."""
    while heard := line.request():
        status, value = right_answer(heard[0], heard[1])
        asked = heard[1].rpartition("from=")[2]
        if "data" in value and asked.isdigit():
            event = {"type": "text_chunk", "data": {"content": f"{asked} "}}
            value["data"] = {"status": "running", "next_offset": int(asked) + 1, "events": [event]}
        line.reply(status, json.dumps(value).encode())


def _stretches_chunks(line: Line) -> None:
    """A byte of body in each chunk, behind 15 kilobytes of extensions."""
    while line.request():
        line.send(_OK + b"Transfer-Encoding: chunked\r\n\r\n")
        while not line.stopping.is_set():
            line.send(b"1;x=" + b"a" * 15_000 + b"\r\n{\r\n")


_EITHER = frozenset({1, 3})
_SMALL_EVENT = b'{"type":"text_chunk","data":{"content":"x"}}'
_LARGE_EVENT = b'{"type":"text_chunk","data":{"content":"%s"}}' % (b"x" * 1000)

HOSTILE: tuple[Hostile, ...] = (
    Hostile("silent", "accepts and never answers", _silent, _EITHER),
    Hostile("closes-at-once", "accepts and closes", _closes, _EITHER),
    Hostile(
        "drips-headers",
        "sends a byte of its headers a second",
        _drips(b"", b"HTTP/1.1 200 OK\r\nX: " + b"a" * 99),
        _EITHER,
    ),
    Hostile(
        "drips-a-body",
        "sends a byte of its body a second",
        _drips(_OK + b"Content-Length: 100000\r\n\r\n", b" "),
        _EITHER,
    ),
    Hostile("endless-body", "sends a body without end", _floods(_OK + b"\r\n", b'{"data":{}}' * 6000), _EITHER),
    Hostile("endless-headers", "sends headers without end", _floods(_OK, b"X-More: of the same\r\n" * 3000), _EITHER),
    Hostile(
        "endless-interim",
        "sends 102 Processing without end",
        _floods(b"", b"HTTP/1.1 102 Processing\r\n\r\n" * 1000),
        _EITHER,
    ),
    Hostile("hundred-thousand-headers", "sends 100,000 headers", _says(_many_headers), _EITHER),
    Hostile("gzip-bomb", "sends a mebibyte that unpacks to a gibibyte", _says(_bomb), _EITHER),
    Hostile(
        "huge-chunk",
        "announces a chunk of 16 EiB",
        _says(lambda: _OK + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{", close=False),
        _EITHER,
    ),
    Hostile("resets", "resets the connection in the middle of a body", _resets, _EITHER),
    Hostile(
        "length-too-large",
        "announces more than it sends, and waits",
        _says(lambda: _OK + b"Content-Length: 999\r\n\r\n{}", close=False),
        _EITHER,
    ),
    Hostile(
        "length-too-small",
        "sends more than it announces",
        _says(lambda: _OK + b"Content-Length: 1\r\n\r\n" + b"{}" * 999),
        _EITHER,
    ),
    Hostile("garbage", "sends bytes that are no HTTP", _says(_garbage), _EITHER),
    Hostile("redirect-loop", "redirects every call to itself", _redirects_in_a_circle, _EITHER),
    Hostile("nested", "answers with JSON that is 100,000 levels deep", _says(_nested), _EITHER),
    Hostile("ten-megabytes", "returns 10 MB of events at every first poll", _ten_megabytes, _EITHER),
    Hostile("empty-objects", "answers 200 {} to everything", _empty_objects, frozenset({1})),
    Hostile("dies-half-way", "stops to listen at its 60th request", _dies_half_way, _EITHER),
    Hostile("slows-down", "takes longer with every request", _slows_down, _EITHER),
    Hostile("echoes-the-token", "repeats the token in every form that it can take", _echoes, _EITHER),
    Hostile("hostile-text", "answers in text that attacks pages and terminals", _hostile_text, frozenset({1})),
    Hostile("runs-for-ever", "has news at every poll, and never ends", _runs_for_ever, _EITHER),
    Hostile("stretches-chunks", "puts 15 kilobytes of extensions before every byte", _stretches_chunks, _EITHER),
    Hostile(
        "endless-trailers",
        "sends trailers without end",
        _floods(_OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", b"X-More: of the same\r\n" * 1000),
        _EITHER,
    ),
    Hostile("switches-protocols", "answers 101 Switching Protocols", _says(lambda: _SWITCH, close=False), _EITHER),
    Hostile("resets-every-second", "resets every second connection at once", polls.resets_every_second, _EITHER),
    Hostile("long-headers", "puts a header of 250 kilobytes on each answer", polls.long_headers, frozenset({1})),
    Hostile("long-names", "gives out ids of a million characters", polls.long_names, _EITHER),
    Hostile("drips-later-polls", "drips polls from the fourth on", polls.polls_with(polls.drips_later), _EITHER),
    Hostile(
        "grows-by-small-events",
        "has 20,000 small events at every poll, and never ends",
        polls.polls_with(polls.grows(polls.many_events(_SMALL_EVENT, 20_000), 20_000)),
        _EITHER,
    ),
    Hostile(
        "grows-by-large-events",
        "has a megabyte of events at every poll, and never ends",
        polls.polls_with(polls.grows(polls.many_events(_LARGE_EVENT, 1000), 1000)),
        _EITHER,
    ),
    Hostile(
        "small-bomb",
        "polls unpack to just what is read of a body",
        polls.polls_with(polls.answers(200, polls.small_bomb, "Content-Encoding: br")),
        _EITHER,
    ),
    Hostile("many-keys", "has 100,000 keys", polls.polls_with(polls.answers(200, polls.many_keys)), _EITHER),
    Hostile("long-number", "has ten million digits", polls.polls_with(polls.answers(200, polls.long_number)), _EITHER),
    Hostile(
        "wrong-events",
        "has 100,000 wrong events",
        polls.polls_with(polls.answers(200, lambda: polls.wrong_events(100_000))),
        frozenset({1}),
    ),
    Hostile(
        "millions-of-events",
        "has five million wrong events",
        polls.polls_with(polls.answers(200, lambda: polls.wrong_events(5_000_000))),
        _EITHER,
    ),
    Hostile("contradicts-itself", "has another log at each poll", polls.polls_with(polls.contradicts_itself), _EITHER),
    Hostile(
        "says-too-fast",
        "lets polls wait for eleven days",
        polls.polls_with(polls.answers(429, lambda: b"{}", "Retry-After: 999999")),
        _EITHER,
    ),
)
"""All but the one that redirects elsewhere, which needs somewhere to redirect to."""
