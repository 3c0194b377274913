"""The one way to the target: bounded in time, bytes and messages, whatever a server does."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from sendpoll.conformance.http.exchange import Failure, Intent
from sendpoll.conformance.server.probing import presence
from sendpoll.conformance.server.probing.api import Api
from sendpoll.conformance.server.probing.client_profiles import CURL
from sendpoll.conformance.server.probing.endings import BudgetSpentError, RunOverError, TargetLostError
from sendpoll.conformance.server.probing.recorder import Recorder, _Turn
from sendpoll.core.http.limits import BODY_LIMIT
from sendpoll.core.target.target import Target, Timeouts
from tests.conformance.exchanges import asked
from tests.conformance.raw_server import RawServer, always, ask, reply, serving

GUARD = 20.0
"""Seconds within which what must end ends; far above what it takes."""
Behaviour = Callable[[RawServer, socket.socket], None]


def recorder(server: RawServer, *, exchange: float = 1.0, run: float = 60.0, max_messages: int = 16) -> Recorder:
    timeouts = Timeouts(connect=5.0, exchange=exchange, run=run)
    return Recorder(Target(base_url=server.url, timeouts=timeouts, max_messages=max_messages))


def silent(server: RawServer, connection: socket.socket) -> None:
    ask(server, connection)
    connection.recv(1)


def dripping(begin: bytes) -> Behaviour:
    def handle(server: RawServer, connection: socket.socket) -> None:
        ask(server, connection)
        connection.sendall(begin)
        while True:
            connection.sendall(b"x")
            time.sleep(0.02)

    return handle


def flooding(begin: bytes, more: bytes) -> Behaviour:
    def handle(server: RawServer, connection: socket.socket) -> None:
        ask(server, connection)
        connection.sendall(begin)
        while True:
            connection.sendall(more)

    return handle


def resetting(_: RawServer, connection: socket.socket) -> None:
    connection.recv(65_536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("behaviour", "failure"),
    [
        pytest.param(silent, Failure.TIMEOUT, id="accepts and never answers"),
        pytest.param(dripping(b""), Failure.GARBAGE, id="drips garbage"),
        pytest.param(dripping(OK + b"X: "), Failure.TIMEOUT, id="drips a header"),
        pytest.param(dripping(OK + b"Content-Length: 99999\r\n\r\n"), Failure.TIMEOUT, id="drips a body"),
        pytest.param(flooding(OK + b"\r\n", b"x" * 65_536), Failure.FLOOD, id="body without end"),
        pytest.param(flooding(OK, b"X: 1\r\n" * 9_999), Failure.FLOOD, id="headers without end"),
        pytest.param(resetting, Failure.CLOSED, id="resets the connection"),
    ],
)
def test_every_exchange_ends(behaviour: Behaviour, failure: Failure) -> None:
    with serving(behaviour) as server:
        began = time.monotonic()
        exchange = recorder(server).send(asked("pollTask"))
        assert exchange.failure is failure
        assert time.monotonic() - began < GUARD
        assert not exchange.ok
        assert exchange.response is None or len(exchange.response.body) <= 17 * 1024 * 1024


def test_a_request_that_the_server_does_not_read_ends_too() -> None:
    def deaf(_: RawServer, connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        time.sleep(3)

    with serving(deaf) as server:
        request = asked("sendMessage", body=b"x" * 50_000_000, headers=(("Content-Length", "50000000"),))
        assert recorder(server).send(request).failure is Failure.TIMEOUT


def test_after_one_silence_patience_is_shorter() -> None:
    with serving(silent) as server:
        patient = recorder(server, exchange=0.3)
        patient.send(asked("pollTask"))
        assert patient._patience <= 5.0


def test_requests_and_answers_are_counted_and_told() -> None:
    told: list[int] = []
    with serving(always(reply({}))) as server:
        counting = Recorder(Target(base_url=server.url), on_exchange=lambda: told.append(1))
        numbers = [counting.send(asked("pollTask")).number for _ in range(3)]
    assert (numbers, counting.requests, len(told)) == ([1, 2, 3], 3, 3)


def test_what_all_traffic_shows_is_tallied_and_kept_in_bounds() -> None:
    with serving(always(reply({"data": "x" * 100_000}))) as server:
        watching = recorder(server)
        for _ in range(30):
            watching.send(asked("pollTask"))
    tally = watching.tally("POLL-1")
    assert (tally.exercised, tally.broken, len(tally.violations)) == (30, 30, 20)
    (kept,) = tally.violations[0].exchanges
    assert kept.response is not None
    assert (len(kept.response.body), kept.response.body_bytes) == (4096, 100_012)
    assert watching.tally("WS-1").exercised == 0


# ---- answers that take memory or time ----


def test_an_answer_that_unpacks_to_a_flood_is_one() -> None:
    bomb = gzip.compress(b" " * (BODY_LIMIT + 1))
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    with serving(always(head + bomb)) as server:
        watching = recorder(server, exchange=GUARD)
        exchange = watching.send(asked("pollTask"))
    assert exchange.failure is Failure.FLOOD
    assert "unpacks to more" in exchange.outcome
    assert watching.tally("JSON-1").exercised == 0


def test_a_large_answer_keeps_its_value_and_not_its_bytes() -> None:
    with serving(always(reply({"data": "x" * 3_000_000}))) as server:
        exchange = recorder(server, exchange=GUARD).send(asked("pollTask"))
    assert exchange.response is not None
    assert (len(exchange.response.body), exchange.response.size) == (4096, 3_000_012)
    assert exchange.content.value == {"data": "x" * 3_000_000}


def test_a_turn_comes_when_the_one_before_is_over_and_gives_its_time_back() -> None:
    lock, end = threading.Lock(), time.monotonic() + GUARD
    first, second = _Turn(lock, end), _Turn(lock, end)
    assert first.wait(end) == end
    threading.Timer(0.1, first.close).start()
    assert second.wait(0.0) >= 0.05
    second.close()
    assert not lock.locked()


def test_a_turn_is_not_waited_for_behind_the_end_of_the_run() -> None:
    lock, end = threading.Lock(), time.monotonic() + 0.05
    first, second = _Turn(lock, end), _Turn(lock, end)
    first.wait(end)
    assert second.wait(end) == end
    second.close()
    assert lock.locked()


def test_what_a_probe_made_is_known_to_be_left_behind() -> None:
    with serving(always(reply({"task_id": "t"}))) as server:
        watching = recorder(server)
        watching.send(asked("sendMessage", intent=Intent.PROBE, probe="body"))
    assert list(watching.created_resources.tasks) == ["t"]


# ---- the run's deadline ----


def test_nothing_is_sent_behind_the_deadline() -> None:
    with serving(always(reply({}))) as server:
        late = recorder(server, run=0.001)
        time.sleep(0.01)
        for act in (lambda: late.send(asked("pollTask")), late.connect, lambda: late.pause(0)):
            with pytest.raises(RunOverError):
                act()
        assert server.requests == []


def test_an_answer_that_the_runs_end_cut_off_is_nobodys_fault() -> None:
    """The server might have answered in time: nothing is judged by it."""
    with serving(silent) as server:
        ending = recorder(server, exchange=31.0, run=0.3)
        with pytest.raises(RunOverError, match=r"GET /api/v1/tasks/task_1 had no whole answer within the 0.3 s"):
            ending.send(asked("pollTask", intent=Intent.PROBE, probe="from"))
    assert ending.requests == 1
    assert ending.tally("FROM-2").exercised == 0


def test_a_pause_never_goes_past_the_deadline() -> None:
    with serving(always(reply({}))) as server, pytest.raises(RunOverError):
        recorder(server, run=5.0).pause(60.0)


# ---- the budget ----


@pytest.mark.parametrize(
    ("answer", "taken"),
    [
        (reply({"task_id": "t"}, "202 Accepted"), True),
        (reply({"error": {}}, "422 Unprocessable"), False),
        (reply({"error": {}}, "500 Oops"), False),
        (b"", True),
    ],
)
def test_a_message_counts_unless_it_was_refused(answer: bytes, taken: bool) -> None:
    """A server that fell silent may be working on it, and bill it."""

    def handle(server: RawServer, connection: socket.socket) -> None:
        if answer:
            always(answer)(server, connection)
        else:
            silent(server, connection)

    with serving(handle) as server:
        paying = recorder(server, exchange=0.3, max_messages=1)
        paying.send(asked("sendMessage"))
        assert (paying.messages, paying.affordable) == ((1, 0) if taken else (0, 1))
        if taken:
            with pytest.raises(BudgetSpentError):
                paying.send(asked("sendMessage"))
        assert len(server.requests) == 1


def test_other_calls_cost_nothing() -> None:
    with serving(always(reply({}))) as server:
        paying = recorder(server, max_messages=1)
        for operation in ("createWorkspace", "createConversation", "pollTask"):
            paying.send(asked(operation))
        paying.send(asked("sendMessage", method="PUT"))
        assert (paying.messages, paying.affordable) == (0, 1)


def test_many_at_once_send_no_message_too_many() -> None:
    with serving(always(reply({"task_id": "t"}))) as server:
        paying = recorder(server, exchange=10.0, max_messages=5)
        spent: list[int] = []

        def send() -> None:
            try:
                paying.send(asked("sendMessage"))
            except BudgetSpentError:
                spent.append(1)

        threads = [threading.Thread(target=send) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(server.requests), len(spent), paying.messages) == (5, 15, 5)


# ---- a server that says "too fast" ----


def test_a_request_that_came_too_fast_is_sent_again() -> None:
    answers = iter([reply({}, "429 Slow", "Retry-After: 0"), reply({}, "503 Busy", "Retry-After: 0"), reply({})])

    def handle(server: RawServer, connection: socket.socket) -> None:
        while ask(server, connection):
            connection.sendall(next(answers))

    with serving(handle) as server:
        assert recorder(server).send(asked("pollTask")).status == 200
        assert len(server.requests) == 3


@pytest.mark.parametrize("told", ["\xb2", "-1", "soon", "0", ""])
def test_any_retry_after_is_survived(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([reply({}, "429 Slow", f"Retry-After: {told}"), reply({})])

    def handle(server: RawServer, connection: socket.socket) -> None:
        while ask(server, connection):
            connection.sendall(next(answers).replace("\xb2".encode(), b"\xb2"))

    with serving(handle) as server:
        patient = recorder(server)
        monkeypatch.setattr(patient, "pause", lambda _: None)
        assert patient.send(asked("pollTask")).status == 200


# ---- a target that is gone ----


def test_a_target_that_was_never_there_is_no_lost_one() -> None:
    with serving(always(reply({}))) as server:
        pass
    never = recorder(server)
    for _ in range(5):
        exchange = never.send(asked("pollTask"))
        assert exchange.failure is Failure.CONNECT
        assert exchange.detail


@pytest.fixture(name="dead")
def _dead(monkeypatch: pytest.MonkeyPatch) -> Api:
    """The API of a target that answered once and is gone."""
    monkeypatch.setattr(presence, "PATIENCE", 0.4)
    with serving(always(reply({}))) as server:
        orphan = Api(recorder(server), CURL)
        orphan.poll("t", 0)
    return orphan


def test_a_target_that_died_is_lost_after_a_while(dead: Api) -> None:
    for act in (lambda: dead.poll("t", 0), lambda: dead.poll("t", 0), dead.recorder.connect):
        with pytest.raises(TargetLostError, match="answered before and cannot be reached any more"):
            act()


@contextlib.contextmanager
def coming_back(port: int, answer: bytes, after: float) -> Iterator[None]:
    """A server that listens on a port again, after some seconds."""
    stopped = threading.Event()

    def serve() -> None:
        time.sleep(after)
        with socket.create_server(("127.0.0.1", port)) as listener:
            listener.settimeout(0.05)
            while not stopped.is_set():
                with contextlib.suppress(OSError):
                    connection, _ = listener.accept()
                    connection.settimeout(1.0)
                    connection.recv(65_536)
                    connection.sendall(answer)
                    connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(GUARD)


def test_a_target_that_restarts_is_waited_for_and_judged_by_nothing(dead: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "PATIENCE", GUARD)
    with coming_back(dead.recorder.target.port, reply({}), 0.6):
        assert dead.poll("t", 0).status == 200
    assert len(dead.recorder.resending.presence.outages) == 1
    assert dead.recorder.tally("HTTP-7").broken == 0


def test_a_target_that_restarts_and_forgets_its_tasks_is_lost(dead: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "PATIENCE", GUARD)
    with (
        coming_back(dead.recorder.target.port, reply({}, "404 Not Found"), 0.3),
        pytest.raises(TargetLostError, match="has forgotten its tasks"),
    ):
        dead.poll("t", 0)
    assert dead.recorder.tally("MSG-2").broken == 0


# ---- a token that is over ----


def test_an_offset_of_any_characters_can_be_asked_with() -> None:
    """What a server says it is pasted into the next poll; a text with a line break in it ended a run."""
    with serving(always(reply({}))) as server:
        api = Api(recorder(server), CURL)
        polled = api.poll("t\n1", "3\r\nX: y \ud83d")
    assert polled.request.target == "/api/v1/tasks/t%0A1?from=3%0D%0AX:%20y%20%ED%A0%BD"


def test_a_token_that_is_refused_after_it_was_taken_ends_the_run() -> None:
    answers = iter([reply({}), reply({})])

    def handle(server: RawServer, connection: socket.socket) -> None:
        while ask(server, connection):
            connection.sendall(next(answers, reply({}, "401 Unauthorized")))

    with serving(handle) as server:
        api = Api(recorder(server), CURL)
        assert [api.poll("t", 0).status for _ in range(2)] == [200, 200]
        with pytest.raises(TargetLostError, match="it has expired"):
            api.poll("t", 0)
        assert api.recorder.tally("POLL-1").broken == 2  # the two that were answered, with no data


def test_a_refusal_of_one_thing_alone_is_no_end_of_the_token() -> None:
    def handle(server: RawServer, connection: socket.socket) -> None:
        while head := ask(server, connection):
            connection.sendall(reply({}, "403 Forbidden") if b"/tasks/secret" in head else reply({}))

    with serving(handle) as server:
        api = Api(recorder(server), CURL)
        assert [api.poll(task, 0).status for task in ("t", "secret", "t")] == [200, 403, 200]


# ---- the calls ----


def test_a_workspace_that_is_known_is_asked_for_again() -> None:
    with serving(always(reply({}))) as server:
        api = Api(recorder(server), CURL)
        assert [api.ensure_workspace("ws1").request.again for _ in range(3)] == [False, True, True]


@pytest.mark.parametrize(
    ("task", "pasted"),
    [("task_1", b"task_1"), ("a|b^`<>", b"a|b^`<>"), ("é", b"%C3%A9"), ("a b", b"a%20b"), ("\ud800", b"%ED%A0%80")],
)
def test_a_task_id_is_pasted_into_the_path_as_clients_do(task: str, pasted: bytes) -> None:
    with serving(always(reply({}))) as server:
        Api(recorder(server), CURL).poll(task, 7)
        assert server.requests[0].startswith(b"GET /api/v1/tasks/" + pasted + b"?from=7 HTTP/1.1\r\n")
