"""What faults of a network cost, as the proxy counts it and as reports of load tell it."""

from __future__ import annotations

from typing import TypedDict


class CostJson(TypedDict):
    """What one kind of fault cost; seconds from the fault until its client had what it wanted all the same."""

    fault: str
    injected: int
    recovered: int
    recover_p50_s: float | None
    recover_max_s: float | None


class NetworkJson(TypedDict):
    """What all of them cost."""

    exchanges: int
    faults: list[CostJson]
    doubled_messages: int
    """Messages that were sent again, word for word, and taken twice."""
