"""How long people wait: random times of four kinds, as scenarios describe them. Times are seconds."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from sendpoll.core.text.units import exact_seconds, parse_seconds
from sendpoll.load.scenario.scenario_json import (
    DistributionJson,
    ExponentialJson,
    FixedJson,
    LogNormalJson,
    UniformJson,
)


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always the same time."""

    time: float

    def draw(self, random_source: random.Random) -> float:
        """One such time; nothing is drawn for it."""
        del random_source
        return self.time

    @property
    def mean(self) -> float:
        """The expected time."""
        return self.time

    def as_json(self) -> FixedJson:
        """As a scenario file writes it."""
        return {"kind": "fixed", "time": exact_seconds(self.time)}


@dataclass(frozen=True, slots=True)
class Exponential:
    """Times without memory: how long one has waited says nothing about how long it still takes."""

    mean: float
    """The expected time."""

    def draw(self, random_source: random.Random) -> float:
        """One such time."""
        return random_source.expovariate(1 / self.mean) if self.mean else 0.0

    def as_json(self) -> ExponentialJson:
        """As a scenario file writes it."""
        return {"kind": "exponential", "mean": exact_seconds(self.mean)}


@dataclass(frozen=True, slots=True)
class Uniform:
    """Any time between two, each as likely. Raises ValueError where the first is the greater."""

    least: float
    greatest: float

    def __post_init__(self) -> None:
        if self.least > self.greatest:
            raise ValueError("min is greater than max; exchange them")

    def draw(self, random_source: random.Random) -> float:
        """One such time."""
        return random_source.uniform(self.least, self.greatest)

    @property
    def mean(self) -> float:
        """The expected time."""
        return (self.least + self.greatest) / 2

    def as_json(self) -> UniformJson:
        """As a scenario file writes it."""
        return {"kind": "uniform", "min": exact_seconds(self.least), "max": exact_seconds(self.greatest)}


@dataclass(frozen=True, slots=True)
class LogNormal:
    """Times whose logarithm is normal: mostly short, now and then very long, as those of people are."""

    median: float
    sigma: float
    """The standard deviation of the logarithm."""

    def draw(self, random_source: random.Random) -> float:
        """One such time."""
        return random_source.lognormvariate(math.log(self.median), self.sigma) if self.median else 0.0

    @property
    def mean(self) -> float:
        """The expected time."""
        return self.median * math.exp(self.sigma**2 / 2)

    def as_json(self) -> LogNormalJson:
        """As a scenario file writes it."""
        return {"kind": "lognormal", "median": exact_seconds(self.median), "sigma": self.sigma}


Distribution = Fixed | Exponential | Uniform | LogNormal


def distribution_of(described: DistributionJson) -> Distribution:
    """Read what a scenario file describes; it must satisfy the schema. Raises ValueError where it makes no sense."""
    if described["kind"] == "fixed":
        return Fixed(parse_seconds(described["time"]))
    if described["kind"] == "exponential":
        return Exponential(parse_seconds(described["mean"]))
    if described["kind"] == "uniform":
        return Uniform(parse_seconds(described["min"]), parse_seconds(described["max"]))
    return LogNormal(parse_seconds(described["median"]), float(described["sigma"]))
