"""How much load there is over time, a class a kind. Times are seconds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from sendpoll.core.text.units import exact_seconds, parse_seconds
from sendpoll.load.scenario.scenario_json import (
    ArrivalsJson,
    RampJson,
    ShapeJson,
    ShapeKind,
    SpikeJson,
    SteadyJson,
    StepJson,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lasting:
    """What all kinds have. Raises ValueError, with the key, where it cannot be."""

    kind: ClassVar[ShapeKind]
    users: int
    """The most users; of arrivals, the pool that takes them."""
    duration_s: float

    def __post_init__(self) -> None:
        if self.duration_s <= 0:
            raise ValueError("duration: must be longer than 0 s")
        for key, seconds in self._ends.items():
            if seconds > self.duration_s:
                raise ValueError(
                    f"{key}: takes until {exact_seconds(seconds)}, but shape/duration is "
                    f"{exact_seconds(self.duration_s)}; shorten the one or lengthen the other"
                )

    @property
    def _ends(self) -> Mapping[str, float]:
        """When what a key describes is over."""
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rising(_Lasting):
    """What begins with fewer users than it comes to."""

    from_users: int = 1
    """The users at the start; of a spike, before and after it."""

    def __post_init__(self) -> None:
        if self.from_users > self.users:
            raise ValueError(f"from: {self.from_users} users are more than shape/users, {self.users}")
        _Lasting.__post_init__(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Steady(_Lasting):
    """The same number of users all the time."""

    kind: ClassVar[ShapeKind] = "steady"

    def users_at(self, elapsed: float) -> int:
        """How many users there shall be so many seconds after the start, within the duration."""
        del elapsed
        return self.users

    def as_json(self) -> SteadyJson:
        """As a scenario file writes it."""
        return {"kind": "steady", "users": self.users, "duration": exact_seconds(self.duration_s)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ramp(_Rising):
    """More and more users for a while, then held."""

    kind: ClassVar[Literal["ramp", "soak"]] = "ramp"
    ramp_s: float

    @property
    def _ends(self) -> Mapping[str, float]:
        return {"ramp": self.ramp_s}

    def users_at(self, elapsed: float) -> int:
        """How many users there shall be so many seconds after the start, within the duration."""
        share = min(1.0, elapsed / self.ramp_s) if self.ramp_s else 1.0
        return self.from_users + round(share * (self.users - self.from_users))

    def as_json(self) -> RampJson:
        """As a scenario file writes it."""
        return {
            "kind": self.kind,
            "users": self.users,
            "duration": exact_seconds(self.duration_s),
            "ramp": exact_seconds(self.ramp_s),
            "from": self.from_users,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Soak(Ramp):
    """A ramp by its other name: what is looked for comes after hours."""

    kind: ClassVar[Literal["ramp", "soak"]] = "soak"


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps(_Rising):
    """So many users more each time, then held."""

    kind: ClassVar[ShapeKind] = "step"
    step_users: int
    every_s: float

    def __post_init__(self) -> None:
        if self.every_s <= 0:
            raise ValueError("every: must be longer than 0 s")
        _Rising.__post_init__(self)

    @property
    def _ends(self) -> Mapping[str, float]:
        steps = math.ceil((self.users - self.from_users) / self.step_users)
        return {"every": self.every_s * steps}

    def users_at(self, elapsed: float) -> int:
        """How many users there shall be so many seconds after the start, within the duration."""
        return min(self.users, self.from_users + int(elapsed / self.every_s) * self.step_users)

    def as_json(self) -> StepJson:
        """As a scenario file writes it."""
        return {
            "kind": "step",
            "users": self.users,
            "duration": exact_seconds(self.duration_s),
            "step": self.step_users,
            "every": exact_seconds(self.every_s),
            "from": self.from_users,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike(_Rising):
    """Few users, and many for a while in between."""

    kind: ClassVar[ShapeKind] = "spike"
    at_s: float
    for_s: float

    @property
    def _ends(self) -> Mapping[str, float]:
        return {"for": self.at_s + self.for_s}

    def users_at(self, elapsed: float) -> int:
        """How many users there shall be so many seconds after the start, within the duration."""
        return self.users if self.at_s <= elapsed < self.at_s + self.for_s else self.from_users

    def as_json(self) -> SpikeJson:
        """As a scenario file writes it."""
        return {
            "kind": "spike",
            "users": self.users,
            "duration": exact_seconds(self.duration_s),
            "at": exact_seconds(self.at_s),
            "for": exact_seconds(self.for_s),
            "from": self.from_users,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PoissonArrivals(_Lasting):
    """Messages at random times (Poisson), taken by a pool of users that stands ready from the start."""

    kind: ClassVar[ShapeKind] = "arrivals"
    rate: float
    """Messages a second."""

    def users_at(self, elapsed: float) -> int:
        """How many users there shall be so many seconds after the start, within the duration."""
        del elapsed
        return self.users

    def as_json(self) -> ArrivalsJson:
        """As a scenario file writes it."""
        return {"kind": "arrivals", "users": self.users, "duration": exact_seconds(self.duration_s), "rate": self.rate}


Shape = Steady | Ramp | Steps | Spike | PoissonArrivals


def shape_of(described: ShapeJson) -> Shape:
    """Read what a scenario file describes; it must satisfy the schema. Raises ValueError, with the key."""
    users, duration_s = described["users"], parse_seconds(described["duration"])
    if described["kind"] == "steady":
        return Steady(users=users, duration_s=duration_s)
    if described["kind"] == "arrivals":
        return PoissonArrivals(users=users, duration_s=duration_s, rate=float(described["rate"]))
    first = described.get("from", 1)
    if described["kind"] == "step":
        every_s, step = parse_seconds(described["every"]), described["step"]
        return Steps(users=users, duration_s=duration_s, from_users=first, step_users=step, every_s=every_s)
    if described["kind"] == "spike":
        at_s, for_s = parse_seconds(described["at"]), parse_seconds(described["for"])
        return Spike(users=users, duration_s=duration_s, from_users=first, at_s=at_s, for_s=for_s)
    kind = Soak if described["kind"] == "soak" else Ramp
    return kind(users=users, duration_s=duration_s, from_users=first, ramp_s=parse_seconds(described["ramp"]))
