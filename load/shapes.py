"""The shapes of load over time, as controllers of the engine: how many users there shall be at each moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from sendpoll.load.engine import Order, View
from sendpoll.load.scenario.scenario import Shape, ShapeKind

_SETTLE_S: Final = 1.0
"""Beyond the start spread, until every user of a pool has opened its conversation."""


def users_at(shape: Shape, elapsed: float) -> int:
    """How many users a shape wants so many seconds after the start; `elapsed` is not beyond its duration."""
    return _USERS[shape.kind](shape, elapsed)


def _steady(shape: Shape, _elapsed: float) -> int:
    return shape.users


def _ramp(shape: Shape, elapsed: float) -> int:
    share = min(1.0, elapsed / shape.ramp_s) if shape.ramp_s else 1.0
    return shape.from_users + round(share * (shape.users - shape.from_users))


def _step(shape: Shape, elapsed: float) -> int:
    return min(shape.users, shape.from_users + int(elapsed / shape.every_s) * shape.step_users)


def _spike(shape: Shape, elapsed: float) -> int:
    return shape.users if shape.at_s <= elapsed < shape.at_s + shape.for_s else shape.from_users


_USERS: Final[Mapping[ShapeKind, Callable[[Shape, float], int]]] = {
    "steady": _steady,
    "ramp": _ramp,
    "soak": _ramp,
    "step": _step,
    "spike": _spike,
    "arrivals": _steady,
}


class ShapeController:
    """Holds a shape for its duration. Open arrivals begin when the pool of users stands ready."""

    def __init__(self, shape: Shape, start_spread_s: float = 0.0) -> None:
        self._shape = shape
        self._warm_up_s = start_spread_s + _SETTLE_S if shape.kind == "arrivals" else 0.0

    def decide(self, view: View) -> Order | None:
        """The users that the shape wants now; None when its time is over."""
        elapsed = view.elapsed - self._warm_up_s
        if elapsed >= self._shape.duration_s:
            return None
        users = users_at(self._shape, max(0.0, elapsed))
        if self._shape.kind == "arrivals":
            return Order(users, arrivals=self._shape.rate if elapsed >= 0 else 0.0)
        return Order(users)
