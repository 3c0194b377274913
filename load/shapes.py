"""A shape of load as a controller of the engine."""

from __future__ import annotations

from typing import Final

from sendpoll.load.engine import Order, View
from sendpoll.load.scenario.shape import PoissonArrivals, Shape

_SETTLE_S: Final = 1.0
"""Beyond the start spread, until every user of a pool has opened its conversation."""


class ShapeController:
    """Holds a shape for its duration. Open arrivals begin when the pool of users stands ready."""

    def __init__(self, shape: Shape, start_spread_s: float = 0.0) -> None:
        self._shape = shape
        self._warm_up_s = start_spread_s + _SETTLE_S if isinstance(shape, PoissonArrivals) else 0.0

    def decide(self, view: View) -> Order | None:
        """The users that the shape wants now; None when its time is over."""
        elapsed = view.elapsed - self._warm_up_s
        if elapsed >= self._shape.duration_s:
            return None
        users = self._shape.users_at(max(0.0, elapsed))
        if isinstance(self._shape, PoissonArrivals):
            return Order(users, arrivals=self._shape.rate if elapsed >= 0 else 0.0)
        return Order(users)
