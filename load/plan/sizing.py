"""How many replicas a crowd needs, from what one of them holds, and what that takes for granted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

CROWDS: Final = (100, 1_000, 10_000, 100_000)
RATES: Final = (1, 10, 100, 1_000)
"""With open arrivals: messages a second."""


@dataclass(frozen=True, slots=True)
class ReplicaCount:
    """Replicas for a crowd of users, or for a rate of messages."""

    load: int
    replicas: int
    with_spare: int
    """One more, so that any one may be away."""
    fewest: int | None
    """If one replica holds as much as the upper end of the interval says; None where it has none."""
    most: int | None
    """If it holds only as much as the lower end says; None where that is nothing."""


def fleets(
    loads: Sequence[int], recommended: float, answer: float, low: float, high: float | None
) -> list[ReplicaCount]:
    """A row a load. The ends of the interval are taken with the headroom that the recommendation has."""
    share = recommended / answer
    rows = []
    for load in loads:
        replicas = math.ceil(load / recommended)
        fewest = None if high is None else min(replicas, math.ceil(load / (high * share)))
        most = max(replicas, math.ceil(load / (low * share))) if low > 0 else None
        rows.append(ReplicaCount(load, replicas, replicas + 1, fewest, most))
    return rows


def assumptions(recommended: float, headroom: float, unit: str) -> tuple[str, ...]:
    """What must hold for the table to hold."""
    given = f"at most {recommended:g} {unit}: {headroom:.0%} below what it holds, for uneven balancing and busier days"
    return (
        f"each replica is like the one that was measured, on a machine like its own, and is given {given}",
        "the replicas share nothing that can run out: database, model backend, network, rate limits",
        "the real workload is like the scenario: the same messages, think times and polling",
        "the load is spread evenly, and a user's polls reach the replica that runs the task",
    )
