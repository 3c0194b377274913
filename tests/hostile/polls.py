"""Attacks of servers that are right until a task is polled: nothing before that warns of them."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable

import brotli

from tests.hostile.lines import CORS, JSON, Attack, Line, right_answer, serve_right

_OK = f"HTTP/1.1 200 OK\r\n{JSON}{CORS}".encode()
_LIMIT = 16 * 1024 * 1024
"""Bytes that the suite reads of a body, compressed or not."""


def polls_with(poll: Callable[[Line, int], None]) -> Attack:
    """A right server but for its polls, which are answered by `poll`; it gets the offset that was asked for."""

    def attack(line: Line) -> None:
        while heard := line.request():
            status, value = right_answer(heard[0], heard[1])
            asked = heard[1].rpartition("from=")[2]
            if "data" in value:
                poll(line, int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 20 else 0)
            else:
                line.reply(status, json.dumps(value).encode())

    return attack


def drips_later(line: Line, _: int) -> None:
    """The first three polls are answered, and a byte a second comes of all others."""
    line.desk["polls"] = line.desk.get("polls", 0) + 1
    if line.desk["polls"] <= 3:
        line.reply(200, b'{"data":{"status":"running","next_offset":0,"events":[]}}')
        return
    line.send(_OK + b"Content-Length: 100000\r\n\r\n")
    while line.pause(1.0):
        line.send(b" ")


def grows(events: bytes, count: int) -> Callable[[Line, int], None]:
    """A task that has so many new events at every poll, and never ends."""

    def poll(line: Line, asked: int) -> None:
        start = b'{"data":{"status":"running","next_offset":%d,"events":[' % (asked + count)
        line.reply(200, start + events + b"]}}")

    return poll


def many_events(event: bytes, count: int) -> bytes:
    """So many events of one kind, between commas."""
    return b",".join([event] * count)


def answers(status: int, body: Callable[[], bytes], *headers: str) -> Callable[[Line, int], None]:
    """Every poll is answered alike; the body is made once."""

    def poll(line: Line, _: int) -> None:
        if "body" not in line.desk:
            line.desk["body"] = body()
        line.reply(status, line.desk["body"], *headers)

    return poll


def small_bomb() -> bytes:
    """A right answer that is a few hundred bytes, and unpacks to just what the suite reads of a body."""
    text = b'{"data":{"status":"running","next_offset":0,"events":[]},"more":"'
    return bytes(brotli.compress(text + b"a" * (_LIMIT - len(text) - 2) + b'"}'))


def many_keys() -> bytes:
    """A right answer with 100,000 keys beside what clients read."""
    more = ",".join(f'"key{number}":{number}' for number in range(100_000))
    return b'{"data":{"status":"running","next_offset":0,"events":[]},' + more.encode() + b"}"


def wrong_events(count: int) -> bytes:
    """So many events of which none is one."""
    return b'{"data":{"status":"running","next_offset":1,"events":[' + many_events(b"{}", count) + b"]}}"


def long_number() -> bytes:
    """An offset of ten million digits."""
    return b'{"data":{"status":"running","events":[],"next_offset":' + b"9" * 10_000_000 + b"}}"


def contradicts_itself(line: Line, _: int) -> None:
    """Another log at every poll."""
    number = line.desk["polls"] = line.desk.get("polls", 0) + 1
    event = b'{"type":"text_chunk","data":{"content":"%d"}}' % number
    line.reply(200, b'{"data":{"status":"running","next_offset":1,"events":[' + event + b"]}}")


def resets_every_second(line: Line) -> None:
    """Every second connection is reset as soon as it is accepted."""
    line.desk["lines"] = line.desk.get("lines", 0) + 1
    if line.desk["lines"] % 2:
        serve_right(line)
    else:
        line.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def long_names(line: Line) -> None:
    """Every id is of a million characters."""
    while heard := line.request():
        status, value = right_answer(heard[0], heard[1])
        said = {key: told * 1_000_000 if isinstance(told, str) else told for key, told in value.items()}
        line.reply(status, json.dumps(said).encode())


def long_headers(line: Line) -> None:
    """Every answer is right, and has a header as long as the suite reads on."""
    while heard := line.request():
        status, value = right_answer(heard[0], heard[1])
        line.reply(status, json.dumps(value).encode(), f"X-Long: {'a' * 250_000}")
