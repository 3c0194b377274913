"""How long people wait: random times of four kinds, as scenarios describe them."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sendpoll.core.text.units import exact_seconds, parse_seconds

DistributionKind = Literal["fixed", "exponential", "uniform", "lognormal"]


@dataclass(frozen=True, slots=True)
class Distribution:
    """A random time in seconds. What the two numbers mean depends on the kind."""

    kind: DistributionKind
    first: float
    """The time itself, the mean, the least time, or the median."""
    second: float = 0.0
    """Nothing, nothing, the greatest time, or the standard deviation of the logarithm."""

    def draw(self, random_source: random.Random) -> float:
        """One such time, in seconds."""
        if self.kind == "fixed" or self.first == self.second == 0:
            return self.first
        if self.kind == "exponential":
            return random_source.expovariate(1 / self.first) if self.first else 0.0
        if self.kind == "uniform":
            return random_source.uniform(self.first, self.second)
        return random_source.lognormvariate(math.log(self.first), self.second) if self.first else 0.0

    @property
    def mean(self) -> float:
        """The expected time, in seconds: what a planner reckons with."""
        if self.kind == "uniform":
            return (self.first + self.second) / 2
        if self.kind == "lognormal":
            return self.first * math.exp(self.second**2 / 2)
        return self.first

    def as_json(self) -> dict[str, Any]:
        """As a scenario file writes it."""
        first = exact_seconds(self.first)
        if self.kind == "uniform":
            return {"kind": self.kind, "min": first, "max": exact_seconds(self.second)}
        if self.kind == "lognormal":
            return {"kind": self.kind, "median": first, "sigma": self.second}
        return {"kind": self.kind, "time" if self.kind == "fixed" else "mean": first}

    @classmethod
    def from_json(cls, described: Mapping[str, Any]) -> Distribution:
        """Read what a scenario file describes; it must satisfy the schema."""
        kind: DistributionKind = described["kind"]
        if kind == "uniform":
            return cls(kind, parse_seconds(described["min"]), parse_seconds(described["max"]))
        if kind == "lognormal":
            return cls(kind, parse_seconds(described["median"]), float(described["sigma"]))
        return cls(kind, parse_seconds(described["time" if kind == "fixed" else "mean"]))
