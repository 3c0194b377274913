"""Random service times: how long a slot is taken by one task, as a multiple of the mean."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

LOGNORMAL_SIGMA = 1.0
"""Makes the coefficient of variation 1.31: a heavier tail than the exponential's 1."""


def _fixed(_: random.Random) -> float:
    return 1.0


def _exponential(source: random.Random) -> float:
    return source.expovariate(1.0)


def _lognormal(source: random.Random) -> float:
    # The mean of exp(N(mu, sigma)) is exp(mu + sigma^2 / 2); this mu makes it 1.
    return source.lognormvariate(-(LOGNORMAL_SIGMA**2) / 2, LOGNORMAL_SIGMA)


DISTRIBUTIONS: Mapping[str, Callable[[random.Random], float]] = {
    "fixed": _fixed,
    "exponential": _exponential,
    "lognormal": _lognormal,
}


def service_times(distribution: str, mean: float, seed: int) -> Callable[[], float]:
    """A source of service times in seconds, the same sequence for the same arguments."""
    draw = DISTRIBUTIONS[distribution]
    source = random.Random(seed)
    return lambda: mean * draw(source)
