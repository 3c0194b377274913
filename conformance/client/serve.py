"""Keeps the servers of some situations up, for a client that is run by hand."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from types import MappingProxyType, TracebackType
from typing import Self

from sendpoll.conformance.client.play import NOWHERE, environment_of, serve
from sendpoll.conformance.client.running.program import variables
from sendpoll.conformance.client.serving.responder import Hooks, Served
from sendpoll.conformance.client.serving.server import ScriptedServer
from sendpoll.conformance.client.situations.played import Settings
from sendpoll.conformance.client.situations.situation import Expectation, Situation

EXPECTED = MappingProxyType(
    {
        Expectation.ANSWER: "the whole answer, once and in order, and exit code 0",
        Expectation.SHOWN: "the whole answer, once and in order, and an end",
        Expectation.FAILURE: "an end with a non-zero exit code, and words that say why",
        Expectation.EITHER: "the whole answer and exit code 0, or a non-zero exit code and words that say why",
        Expectation.TRAFFIC: "nothing on the screen; the requests tell",
    }
)
"""What the user must have in the end, in words."""


class Stand:
    """The servers of the situations that are about the asked rows. A context manager.

    Each begins anew when a run begins, which is told by its first step.
    """

    def __init__(self, situations: Sequence[Situation], settings: Settings, tell: Callable[[str], None]) -> None:
        """`tell` is given a line for each request."""
        self._stack = ExitStack()
        self._tell = tell
        self._served = [(one, self._server(one, settings)) for one in situations]
        self._settings = settings

    def _server(self, situation: Situation, settings: Settings) -> ScriptedServer:
        elsewhere = self._stack.enter_context(ScriptedServer(NOWHERE, settings.token)) if situation.redirects else None
        hooks = Hooks(on_request=lambda served: self._tell(_line(situation, served)))
        return self._stack.enter_context(serve(situation, settings, elsewhere, hooks, renews=True))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    @property
    def told(self) -> str:
        """What to run, and what must come of it."""
        return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        for situation, server in self._served:
            yield f"{situation.name}: {situation.title}"
            yield f"  expected  {EXPECTED[situation.expect]}"
            for player in range(len(situation.players)):
                told = environment_of(situation, player, self._settings, server.url)
                yield f"  run       {_assignments(variables(told).items())} COMMAND"
        yield "Each server begins anew with each run. Ctrl-C ends them."

    @staticmethod
    def wait() -> None:
        """Until Ctrl-C."""
        threading.Event().wait()


def _assignments(pairs: Iterable[tuple[str, str]]) -> str:
    return " ".join(f"{name}={shlex.quote(value)}" for name, value in pairs)


def _line(situation: Situation, served: Served) -> str:
    request, given = served.request, served.given
    return f"{situation.name}: {request.method} {request.target[:200]} {given.status if given else 'no answer'}"
