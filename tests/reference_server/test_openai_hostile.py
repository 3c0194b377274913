"""The agent `openai` against an upstream that is broken, endless, slow, or means harm."""

from __future__ import annotations

import contextlib
import gzip
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from sendpoll.reference_server.embedded import start_child, stop_child
from sendpoll.reference_server.settings import Settings
from tests.reference_server.conftest import TOKEN, Api, client_of, serving, text
from tests.reference_server.test_openai import DONE, delta, failure

KEY = "sk-upstream-0123456789-abcdefghij"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
Talk = Callable[[socket.socket], None]


@dataclass
class Upstream:
    """A socket that says what the test wants, and keeps what it was sent."""

    url: str
    talk: Talk
    heard: list[bytes] = field(default_factory=list)


@contextlib.contextmanager
def upstream_of(talk: Talk) -> Iterator[Upstream]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        upstream = Upstream(f"http://127.0.0.1:{listener.getsockname()[1]}/v1", talk)

        def answer() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    upstream.heard.append(request_from(connection))
                    upstream.talk(connection)

        worker = threading.Thread(target=answer, daemon=True)
        worker.start()
        try:
            yield upstream
        finally:
            listener.shutdown(socket.SHUT_RDWR)
    worker.join(20)


def request_from(connection: socket.socket) -> bytes:
    data = b""
    while not data.endswith(b"}"):
        piece = connection.recv(65536)
        if not piece:
            break
        data += piece
    return data


def saying(*pieces: bytes, pause: float = 0.0) -> Talk:
    def talk(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause)

    return talk


def endlessly(start: bytes, piece: bytes, pause: float = 0.0) -> Talk:
    """Until the other side hangs up."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(piece)
            time.sleep(pause)

    return talk


@contextlib.contextmanager
def relaying(talk: Talk, **settings: Any) -> Iterator[Api]:
    with (
        upstream_of(talk) as upstream,
        serving(agent="openai", openai_base_url=upstream.url, openai_model="m", openai_api_key=KEY, **settings) as api,
    ):
        yield api


def failing(talk: Talk, **settings: Any) -> tuple[str, str]:
    with relaying(talk, **settings) as api:
        return failure(api.finished())


@pytest.mark.parametrize(
    "talk",
    [
        pytest.param(endlessly(OK, b": ping\n\n", 0.02), id="comments"),
        pytest.param(endlessly(OK, b"x", 0.02), id="a line"),
        pytest.param(endlessly(OK, delta("x"), 0.02), id="text"),
        pytest.param(endlessly(b"HTTP/1.1 200 OK\r\nX: ", b"x", 0.02), id="a head"),
        pytest.param(endlessly(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.02), id="interim answers"),
        pytest.param(endlessly(b"HTTP/1.1 500 Oh\r\n\r\n", b"x", 0.02), id="a refusal"),
        pytest.param(lambda _: time.sleep(2), id="nothing"),
    ],
)
def test_an_answer_has_a_deadline_however_it_drips(talk: Talk) -> None:
    code, message = failing(talk, openai_timeout=0.5)
    assert code == "upstream_timeout"
    assert "did not answer in time" in message


@pytest.mark.parametrize(
    ("talk", "words"),
    [
        pytest.param(endlessly(OK, delta("x" * 900_000)), "more than", id="text"),
        pytest.param(endlessly(OK, b": " + b"x" * 60_000 + b"\n"), "more than", id="comments"),
        pytest.param(endlessly(OK, b"x" * 65536), "line of more than a megabyte", id="a line"),
    ],
)
def test_an_endless_answer_is_cut_and_does_not_fill_the_memory(talk: Talk, words: str, tmp_path: Path) -> None:
    with upstream_of(talk) as upstream:
        settings = Settings(
            tokens=(TOKEN,), port=0, database=str(tmp_path / "a"), agent="openai", openai_base_url=upstream.url,
            openai_model="m", openai_api_key=KEY,
        )  # fmt: skip
        child, url = start_child(settings)
        try:
            memory = psutil.Process(child.pid).memory_info
            before = most = memory().rss
            with client_of(url) as client:
                api = Api(url, client)
                task = api.send(api.conversation())
                news: dict[str, Any] = {"status": "running", "next_offset": 0}
                while news["status"] == "running":
                    news = api.poll(task, news["next_offset"])
                    most = max(most, memory().rss)
                assert api.client.get(f"/api/v1/tasks/{task}").status_code == 200
                most = max(most, memory().rss)
                event = api.poll(task, news["next_offset"] - 1)["events"][-1]
        finally:
            stop_child(child)
    assert event["data"]["code"] == "upstream_broke"
    assert words in event["data"]["message"]
    assert most - before < 100_000_000


def test_a_line_in_small_pieces_costs_no_more_than_in_one() -> None:
    """A megabyte in sixteen thousand pieces: were each one joined to all before it, this would take minutes."""
    line = delta("x" * 1_000_000, "stop")
    pieces = [line[start : start + 64] for start in range(0, len(line), 64)]
    with relaying(saying(OK, *pieces, DONE)) as api:
        assert text(api.finished()) == "x" * 1_000_000


def test_a_large_piece_becomes_several_chunks() -> None:
    with relaying(saying(OK, delta("你" * 100_000, "stop"), DONE)) as api:
        chunks = [event["data"]["content"] for event in api.finished()["events"]]
    assert "".join(chunks) == "你" * 100_000
    assert max(map(len, chunks)) <= 16 * 1024


def test_a_compressed_answer_is_not_unpacked() -> None:
    bomb = gzip.compress(delta("x") * 1_000_000)
    code, message = failing(saying(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", bomb))
    assert (code, "coding" in message) == ("upstream_broke", True)


DEEP = b"[" * 100_000
LARGE = b"9" * 5000


@pytest.mark.parametrize(
    "value",
    [
        DEEP,
        b'{"choices":' + DEEP,
        b'{"choices":' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"usage":NaN}',
        b'{"choices":[{"delta":{"content":Infinity}}]}',
        b'{"choices":' + LARGE + b"}",
        b'{"choices":"text"}',
        b'{"choices":{"0":1}}',
        b'{"choices":[null]}',
        b'{"choices":[{"delta":"x"}]}',
        b'{"choices":[{"delta":{"content":["x"]}}]}',
        b'"\xff\xfe"',
        b"",
    ],
)
def test_broken_json_fails_the_task_and_is_not_a_fault_of_ours(value: bytes, caplog: pytest.LogCaptureFixture) -> None:
    code, message = failing(saying(OK, b"data: " + value + b"\n\n", DONE))
    assert (code, len(message) < 200) == ("upstream_broke", True)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_usage_is_figures_under_plain_names() -> None:
    usage = {"total_tokens": 7, "x\x1b[2J": 1, "text": "hello", "nested": {"a": 1}, "rate": 0.5}
    end = b"data: " + json.dumps({"usage": usage}).encode() + b"\n\n"
    with relaying(saying(OK, delta("hi", "stop"), end, DONE)) as api:
        assert api.finished()["events"][-1] == {"type": "usage", "data": {"total_tokens": 7}}


INJECTED = "\x1b[2J\x07\x9b31m\u202eevil\u2028\r\n::error::x"


@pytest.mark.parametrize(
    ("pieces", "code"),
    [
        ([b"HTTP/1.1 400 Bad\r\n\r\n", INJECTED.encode()], "upstream_refused"),
        ([OK, b"data: " + json.dumps({"error": {"message": INJECTED}}).encode() + b"\n\n"], "upstream_failed"),
        ([OK, b"data: " + json.dumps({"error": [INJECTED]}).encode() + b"\n\n"], "upstream_failed"),
        ([OK, b'data: {"error":' + b"[" * 900 + b"]" * 900 + b"}\n\n"], "upstream_failed"),
        ([INJECTED.encode() + b"\r\n\r\n"], "upstream_unreachable"),
        ([b"HTTP/1.1 200 OK\r\n" + INJECTED.encode() * 50 + b"\r\n\r\n"], "upstream_unreachable"),
    ],
)
def test_an_error_in_the_upstreams_own_words_is_one_safe_line(pieces: list[bytes], code: str) -> None:
    told, message = failing(saying(*pieces))
    assert told == code
    assert message.isprintable()
    assert len(message) <= 600


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_the_other_host_gets_nothing(status: int) -> None:
    with upstream_of(saying(OK, delta("stolen", "stop"), DONE)) as other:
        head = f"HTTP/1.1 {status} Go\r\nLocation: {other.url}/chat/completions\r\nConnection: close\r\n\r\n"
        code, message = failing(saying(head.encode()))
        assert (code, "redirect" in message) == ("upstream_refused", True)
        assert other.heard == []


def test_a_cookie_is_not_sent_again() -> None:
    head = OK[:-2] + b"Set-Cookie: who=first; Path=/\r\n\r\n"
    with upstream_of(saying(head, delta("hi", "stop"), DONE)) as upstream, serving(
        agent="openai", openai_base_url=upstream.url, openai_model="m", openai_api_key=KEY
    ) as api:  # fmt: skip
        for _ in range(2):
            api.finished()
        assert len(upstream.heard) == 2
        assert not any(b"cookie" in heard.lower() for heard in upstream.heard)
        assert all(f"Bearer {KEY}".encode() in heard for heard in upstream.heard)


ECHO = f"your key is {KEY}, is it?"


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([OK, delta(ECHO, "stop"), DONE], id="text"),
        pytest.param([OK, *(delta(letter) for letter in ECHO), delta("", "stop"), DONE], id="letters"),
        pytest.param([OK, delta(KEY[:-1], "stop"), DONE], id="most of it"),
        pytest.param([OK, delta("", "stop"), b'data: {"usage":{"%b":1}}\n\n' % KEY.encode(), DONE], id="usage"),
        pytest.param([OK, b'data: {"error":{"message":"%b"}}\n\n' % ECHO.encode()], id="error"),
        pytest.param([OK, b'data: {"error":{"%b":1}}\n\n' % KEY.encode()], id="name in an error"),
        pytest.param([OK, b"data: {%b\n\n" % KEY.encode()], id="broken JSON"),
        pytest.param([b"HTTP/1.1 401 No\r\n\r\n", b"x" * 480, KEY.encode()], id="refusal"),
        pytest.param([b"HTTP/1.1 401 No\r\n\r\n", KEY.encode() * 1000], id="refusal of nothing else"),
        pytest.param([b"HTTP/1.1 200 " + KEY.encode() + b"\r\nContent-Encoding: gzip\r\n\r\n"], id="reason"),
        pytest.param([KEY.encode() + b"\r\n\r\n"], id="status line"),
        pytest.param([b"HTTP/1.1 200 OK\r\n" + KEY.encode() + b"\r\n\r\n"], id="header"),
    ],
)
def test_the_key_is_served_and_stored_and_logged_nowhere(
    pieces: list[bytes], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with relaying(saying(*pieces), database=str(tmp_path / "a")) as api:
        news = api.finished()
        served = json.dumps(news) + api.client.get("/metrics").text
        files = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    secret = KEY[:-1]
    assert secret not in served
    assert secret.encode() not in files
    assert secret not in caplog.text


def test_a_url_with_a_password_is_told_without_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with serving(agent="openai", openai_base_url="http://me:hush@127.0.0.1:9/v1?key=hush", openai_model="m") as api:
        code, message = failure(api.finished())
    assert code == "upstream_unreachable"
    assert message.startswith("http://127.0.0.1:9/v1/chat/completions: ")
    assert "hush" not in message
    assert "me:hush" not in caplog.text
