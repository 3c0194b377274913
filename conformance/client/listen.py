"""Every situation at one address, for an app that is pointed at each by hand.

Situation NAME is a server whose base URL is `http://127.0.0.1:PORT/s/NAME`. The page at `/` says what to do in each,
what must be seen, and what was asked so far.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Final, Self

from sendpoll.conformance.client.judging.observation import Observation
from sendpoll.conformance.client.judging.traffic import ALL_TRAFFIC
from sendpoll.conformance.client.play import NOWHERE, other_name
from sendpoll.conformance.client.serve import EXPECTED
from sendpoll.conformance.client.serving.messages import Answer, ReceivedRequest, error, on_the_wire
from sendpoll.conformance.client.serving.responder import Hooks, Responder, Served, reset
from sendpoll.conformance.client.serving.server import Connections, ScriptedServer
from sendpoll.conformance.client.situations.played import Settings, behaviour_of, met
from sendpoll.conformance.client.situations.situation import Situation
from sendpoll.core.reports.page import Page

_PREFIX: Final = "/s/"
_PAGE: Final = Page("sendpoll.conformance.client", "listen.html.j2", styles=("listen.css",))


@dataclass(slots=True)
class _Place:
    """One situation's part of the address."""

    situation: Situation
    responder: Responder
    away_until: float = 0.0
    numbers: dict[int, int] = field(default_factory=dict)
    """A number a connection that came here."""


class SituationServer:
    """The address. A context manager."""

    def __init__(self, situations: Sequence[Situation], settings: Settings, tell: Callable[[str], None]) -> None:
        """`tell` is given a line for each request."""
        self._settings = settings
        self._tell = tell
        self._elsewhere = ScriptedServer(NOWHERE, settings.token)
        self._places = {one.name: self._place(one) for one in situations if ":" not in one.host}
        self._connections = Connections("127.0.0.1", self._reply, tell)
        self.url = self._connections.url

    def _place(self, situation: Situation) -> _Place:
        behaviour = behaviour_of(situation, self._settings, other_name(self._elsewhere))
        place: _Place

        def note(served: Served) -> None:
            given = served.given.status if served.given else "no answer"
            self._tell(f"{situation.name}: {served.request.method} {served.request.target[:200]} {given}")

        def go_away(seconds: float) -> None:
            place.away_until = time.monotonic() + seconds

        hooks = Hooks(on_request=note, on_outage=go_away)
        place = _Place(situation, Responder(behaviour, self._settings.token, hooks, renews=True))
        if situation.conversation_is_given:
            place.responder.api.open_conversation(situation.conversation_id, situation.workspace)
        return place

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._connections.close()
        self._elsewhere.close()

    @property
    def told(self) -> str:
        """Where to look."""
        return f"Open {self.url}/ : it says what to do in each situation, and what was seen. Ctrl-C ends it.\n"

    @staticmethod
    def wait() -> None:
        """Until Ctrl-C."""
        threading.Event().wait()

    def _reply(self, connection: socket.socket, request: ReceivedRequest) -> bool:
        if not request.target.startswith(_PREFIX):
            is_page = request.method == "GET" and request.path == "/"
            connection.sendall(on_the_wire(self._page() if is_page else error(404, "no such page")))
            return True
        name, slash, rest = request.target.removeprefix(_PREFIX).partition("/")
        place = self._places.get(name)
        if place is None:
            connection.sendall(on_the_wire(error(404, "no such situation")))
            return True
        if time.monotonic() < place.away_until:
            reset(connection)
            return False
        number = place.numbers.setdefault(id(connection), len(place.numbers) + 1)
        asked = replace(request, target=f"{slash}{rest}", connection=number)
        return place.responder.reply(connection, asked, self._connections.over)

    def _page(self) -> Answer:
        places = [
            {
                "situation": place.situation,
                "url": f"{self.url}{_PREFIX}{place.situation.name}",
                "expected": EXPECTED[place.situation.expect],
                "answer": "".join(place.situation.players[0].chunks),
                "served": place.responder.served,
                "wrong": self._wrong(place),
                "met": len(met(place.responder.memory)) >= len(place.situation.faults),
            }
            for place in self._places.values()
        ]
        text = _PAGE.render({"places": places, "token": self._settings.token})
        headers = (("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store"), ("Refresh", "3"))
        return Answer(200, headers, text.encode("utf-8", "backslashreplace"))

    def _wrong(self, place: _Place) -> list[str]:
        """What the requests alone show to be wrong."""
        served = place.responder.served
        seen = Observation(place.situation, (), served, 0.0, self._settings.token, self._settings.patience)
        tallies = ((row, rule(seen)) for row, rule in ALL_TRAFFIC.items())
        return [f"{row}: {tally.violations[0].sentence}" for row, tally in tallies if tally.violations]
