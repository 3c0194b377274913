"""What a run would play, told without running anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sendpoll.conformance.client.situations.situation import Situation


def describe_run(situations: Sequence[Situation], patience: float) -> str:
    """The run in plain lines."""
    return "".join(f"{line}\n" for line in _lines(situations, patience))


def _lines(situations: Sequence[Situation], patience: float) -> Iterator[str]:
    runs = sum(len(situation.players) for situation in situations)
    yield f"Nothing is run. The client would be run {runs} times, in {len(situations)} situations:"
    widest = max(len(situation.name) for situation in situations)
    for situation in situations:
        yield f"  {situation.name:<{widest}}  {', '.join(situation.judges):<15}  {situation.title}"
    slow = sum(situation.is_slow for situation in situations)
    if slow:
        yield f"{slow} of them may last {patience:g} s each (--patience), beside one another."
    yield "All servers are on the loopback, and end with the run."
