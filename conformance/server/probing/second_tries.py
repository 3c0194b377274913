"""What is tried where the first walk through the calls fails: the same again, and an opened conversation with a body.

A server behind which several workers share no state takes a request now and refuses it then: that is the finding, and
no form of a request is to blame. One that wants a body where the examples send none is spoken to with one from then on.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from sendpoll.conformance.http.exchange import Exchange, Intent
from sendpoll.conformance.server.probing.api import Api
from sendpoll.conformance.server.probing.endings import BudgetSpentError
from sendpoll.conformance.server.probing.recorder import Recorder

_TRIES = 5
"""Times that a refused request is sent again: of three workers by turns, one at least has the other answer."""
ROWS: Mapping[str, str] = {"createConversation": "CONV-1", "sendMessage": "MSG-1", "pollTask": "MSG-2"}
"""Call to the row that a refusal of it breaks where nothing in its form is to blame."""
_EMPTY = b"{}"


@dataclass(frozen=True, slots=True)
class Wavering:
    """One request that was answered in two ways."""

    requirement: str
    """The row that the refusals break."""
    refused: Exchange
    taken: Exchange
    counts: tuple[int, int]
    """How often it was refused and taken."""

    @property
    def sentence(self) -> str:
        """What was seen, and what it may be."""
        refused, taken = self.counts
        return (
            f"the server is unsteady: the same request is refused {_times(refused)} ({self.refused.outcome}) and "
            f"taken {_times(taken)}, as by several workers that share no state"
        )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def find_wavering(recorder: Recorder, refused: Exchange) -> Wavering | None:
    """Send a refused request again a few times; None where it is refused each time, or cannot be sent."""
    requirement = ROWS.get(refused.request.operation)
    if requirement is None or not 400 <= refused.status <= 599:
        return None
    request = dataclasses.replace(refused.request, intent=Intent.PROBE)
    taken: list[Exchange] = []
    tried = 0
    try:
        while tried < _TRIES and not (taken and request.operation == "sendMessage"):
            exchange = recorder.send(request)
            tried += 1
            taken += [exchange.trimmed()] if exchange.ok else []
    except BudgetSpentError:
        pass
    if not taken or len(taken) == tried + 1:
        return None
    return Wavering(requirement, refused, taken[0], (1 + tried - len(taken), len(taken)))


def open_with_a_body(api: Api, workspace: str, refused: Exchange) -> Exchange | None:
    """Open the conversation that was refused with an empty object for a body; what was answered, if it was taken.

    From then on the recorder's conversations are opened so.
    """
    if refused.request.operation != "createConversation" or not 400 <= refused.status <= 599:
        return None
    request = api.request("createConversation", {"workspace_id": workspace}, body=_EMPTY, intent=Intent.PROBE)
    exchange = api.recorder.send(request)
    if not exchange.ok:
        return None
    api.recorder.opens_with = _EMPTY
    return exchange.trimmed()
