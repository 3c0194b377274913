"""Plays the situations to a program: a server for each, the program run in it, and what both saw."""

from __future__ import annotations

import functools
import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from sendpoll.conformance.client.judging.observation import Observation
from sendpoll.conformance.client.running.program import Job, Program, Ran, Told
from sendpoll.conformance.client.serving.behaviour import Behaviour
from sendpoll.conformance.client.serving.messages import error
from sendpoll.conformance.client.serving.responder import Hooks, Served
from sendpoll.conformance.client.serving.right_api import RUNNING, Script
from sendpoll.conformance.client.serving.server import ScriptedServer
from sendpoll.conformance.client.situations.played import Settings, behaviour_of, met
from sendpoll.conformance.client.situations.situation import CONTROL, Situation

_AFTER_THE_END = 4
"""Polls of a task that is known to have ended after which a client is taken to poll for ever."""
_UNANSWERED = 20
"""Times that a poll whose last answer never came whole is sent again, after which it is taken to be sent for ever."""
_ERRORS = 60
"""Errors in a row after which a client is taken to go on for ever."""


class Watcher:
    """Sees when a client last asked, and when it will not end."""

    def __init__(self) -> None:
        self.endless = threading.Event()
        self.last_request = 0.0
        self._ended: dict[str, Served] = {}
        """The last answer that told of an end, by the poll that asked for it."""
        self._polled_on = self._errors = self._unanswered = 0

    def note(self, served: Served) -> None:
        """One more request."""
        self.last_request = served.at
        request, given = served.request, served.given
        is_poll = request.call == "pollTask" and given is not None and given.status == 200
        before = self._ended.get(request.path)
        if is_poll and before is not None:
            self._polled_on += not before.lost
            self._unanswered += before.lost
        if is_poll and given is not None and f'"status": "{RUNNING}"'.encode() not in given.body:
            self._ended[request.path] = served
        self._errors = self._errors + 1 if given is None or given.status >= 300 else 0
        if self._polled_on >= _AFTER_THE_END or self._unanswered >= _UNANSWERED or self._errors >= _ERRORS:
            self.endless.set()


def play_all(
    program: Program, situations: Sequence[Situation], settings: Settings, seen: Callable[[Observation], None]
) -> list[Observation]:
    """Every situation, in the given order; `seen` is called as each is over.

    The control comes first: where the program asks nothing in it, nothing else is played. What may last long begins
    before what is short.
    """
    first, *others = situations
    assert first.name == CONTROL  # noqa: S101 - the caller puts it there
    control = play(program, first, settings)
    seen(control)
    if not control.served:
        return [control]
    waiting = sorted(others, key=lambda situation: not situation.is_slow)
    with ThreadPoolExecutor(program.at_once) as pool:
        begun = {one.name: pool.submit(_played, program, one, settings, seen) for one in waiting}
        try:
            return [control, *(begun[situation.name].result() for situation in others)]
        except BaseException:
            program.close()
            pool.shutdown(cancel_futures=True)
            raise


def _played(
    program: Program, situation: Situation, settings: Settings, seen: Callable[[Observation], None]
) -> Observation:
    observation = play(program, situation, settings)
    seen(observation)
    return observation


def play(program: Program, situation: Situation, settings: Settings) -> Observation:
    """One situation."""
    if why := impossible(situation):
        return Observation(situation, (), (), 0.0, settings.token, settings.patience, impossible=why)
    started, watcher = time.monotonic(), Watcher()
    with ExitStack() as stack:
        elsewhere = stack.enter_context(ScriptedServer(NOWHERE, settings.token)) if situation.redirects else None
        server = stack.enter_context(serve(situation, settings, elsewhere, Hooks(on_request=watcher.note)))
        told = [environment_of(situation, at, settings, server.url) for at in range(len(situation.players))]
        last_request = functools.partial(getattr, watcher, "last_request")
        jobs = [Job(one, settings.patience, watcher.endless, last_request) for one in told]
        runs = _run_players(program, jobs)
    # Only now: what became of an answer is known when its connection has ended.
    return Observation(
        situation,
        runs,
        server.served,
        started,
        settings.token,
        settings.patience,
        elsewhere=elsewhere.served if elsewhere else (),
        unreadable=server.unreadable,
        met=frozenset(met(server.memory)),
        coded="coded" in server.memory,
    )


def serve(
    situation: Situation, settings: Settings, elsewhere: ScriptedServer | None, hooks: Hooks, *, renews: bool = False
) -> ScriptedServer:
    """The server of one situation."""
    behaviour = behaviour_of(situation, settings, other_name(elsewhere))
    server = ScriptedServer(behaviour, settings.token, hooks, renews=renews)
    if situation.conversation_is_given:
        server.api.open_conversation(situation.conversation_id, situation.workspace)
    return server


NOWHERE = Behaviour(script=Script(events=lambda _: []), refuse=lambda _: error(404, "this is another server"))


def other_name(server: ScriptedServer | None) -> str:
    """Its URL under another name of the loopback, where there is one: another host, not only another port."""
    if server is None:
        return ""
    try:
        name = "localhost" if socket.gethostbyname("localhost") == "127.0.0.1" else "127.0.0.1"
    except OSError:
        name = "127.0.0.1"
    return f"http://{name}:{server.port}"


def impossible(situation: Situation) -> str:
    """Why this machine cannot play a situation; empty where it can."""
    if ":" not in situation.host:
        return ""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind((situation.host, 0))
    except OSError as error:
        return f"this machine has no {situation.host}: {error.strerror or error}"
    return ""


def environment_of(situation: Situation, player: int, settings: Settings, url: str) -> Told:
    """What one run of the client is told."""
    conversation = situation.conversation_id if situation.conversation_is_given else None
    return Told(url, settings.token, situation.workspace, situation.players[player].message, conversation)


def _run_players(program: Program, jobs: Sequence[Job]) -> list[Ran]:
    if len(jobs) == 1:
        return [program.run(jobs[0])]
    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(program.run, jobs))
