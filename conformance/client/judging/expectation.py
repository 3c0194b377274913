"""Whether the client's user has in the end what the situation lets him have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from sendpoll.conformance.client.judging.observation import Observation
from sendpoll.conformance.client.judging.shown import lack
from sendpoll.conformance.client.running.program import End, Ran
from sendpoll.conformance.client.situations.situation import Expectation, Player

_WORDS = 160


def missed(seen: Observation) -> str:
    """In what the situation's expectation was missed, as a sentence; empty where it was not."""
    judge = _JUDGES[seen.situation.expect]
    wrong = (judge(ran, player) for ran, player in zip(seen.runs, seen.situation.players, strict=True))
    return next(filter(None, wrong), "")


def _answer(ran: Ran, player: Player) -> str:
    if wrong := _shown(ran, player):
        return wrong
    if ran.exit_code:
        return f"It showed the whole answer, and ended with exit code {ran.exit_code}{_said(ran)}."
    return ""


def _shown(ran: Ran, player: Player) -> str:
    foreign = [text for event in player.events for text in _texts(event) if event.get("type") != "text_chunk"]
    wrong = lack(player.chunks, ran.shown, foreign)
    ended = _ended(ran)
    if wrong:
        return f"It {wrong}. {ended}"
    return "" if ran.end is End.ITSELF else f"It showed the whole answer, but {ended[0].lower()}{ended[1:]}"


def _failure(ran: Ran, player: Player) -> str:
    del player
    return "" if ran.failed else _ended(ran)


def _either(ran: Ran, player: Player) -> str:
    return "" if ran.failed else _answer(ran, player)


def _nothing(ran: Ran, player: Player) -> str:
    del ran, player
    return ""


_JUDGES: Mapping[Expectation, Callable[[Ran, Player], str]] = MappingProxyType(
    {
        Expectation.ANSWER: _answer,
        Expectation.SHOWN: _shown,
        Expectation.FAILURE: _failure,
        Expectation.EITHER: _either,
        Expectation.TRAFFIC: _nothing,
    }
)


def _ended(ran: Ran) -> str:
    """How a run ended, as a sentence."""
    if ran.end is not End.ITSELF:
        told = str(ran.end)
        return f"{told[0].upper()}{told[1:]}{_said(ran)}."
    code = "without an exit code" if ran.exit_code is None else f"with exit code {ran.exit_code}"
    return f"It ended {code} after {ran.seconds:.1f} s{_said(ran)}."


def _said(ran: Ran) -> str:
    """The last thing that a run said beside its answer."""
    lines = [line.strip() for line in ran.words.splitlines() if line.strip()]
    return f", with the words: {lines[-1][:_WORDS]}" if lines else ", without a word"


def _texts(value: object) -> list[str]:
    """Every text of an event's data."""
    inside = value.get("data") if isinstance(value, dict) else None
    found = inside.values() if isinstance(inside, dict) else [inside]
    return [text for text in found if isinstance(text, str)]
