"""What was seen of a client in one situation: what it asked, what came of it, and what each run left behind."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sendpoll.conformance.client.running.program import Ran
from sendpoll.conformance.client.serving.messages import Call
from sendpoll.conformance.client.serving.responder import Served
from sendpoll.conformance.client.situations.situation import Situation
from sendpoll.schemas.contract import JSON


@dataclass(frozen=True, slots=True)
class Observation:
    """One situation, played."""

    situation: Situation
    runs: Sequence[Ran]
    """As many as the situation has players, in their order."""
    served: Sequence[Served]
    started: float
    """The moment from which its times are counted, on the clock of `served`."""
    token: str
    patience: float
    elsewhere: Sequence[Served] = ()
    """What the server was asked that a redirect leads to."""
    unreadable: Sequence[str] = ()
    met: frozenset[int] = frozenset()
    """The places of the situation's faults that happened."""
    coded: bool = False
    """Whether the client offered a content coding."""
    impossible: str = ""
    """Why this machine cannot play it; empty where it was played."""

    def calls(self, call: Call) -> list[Served]:
        """The requests of one operation, in order."""
        return [one for one in self.served if one.request.call == call]

    @property
    def ran(self) -> Ran:
        """The run, where the situation has one player."""
        return self.runs[0]


@dataclass(frozen=True, slots=True)
class Misstep:
    """How a requirement was broken: a sentence, and the requests that show it."""

    sentence: str
    shown_by: tuple[Served, ...] = ()


@dataclass(slots=True)
class SituationTally:
    """What a situation says about one requirement."""

    exercised: int = 0
    """Requests or runs that could have broken it."""
    violations: list[Misstep] = field(default_factory=list)


Judge = Callable[[Observation], SituationTally]


def said(served: Served) -> JSON:
    """The JSON object of a 2xx answer that the client can have read; empty where there is none."""
    if served.lost or served.given is None or not 200 <= served.given.status < 300:
        return {}
    try:
        found = json.loads(served.given.body or b"null")
    except (ValueError, RecursionError):  # of a recorded server, which may answer anything
        return {}
    return found if isinstance(found, dict) else {}


def news(served: Served) -> JSON:
    """The data of a poll's answer that the client can have read; empty where there is none."""
    inside = said(served).get("data")
    return inside if isinstance(inside, dict) else {}
