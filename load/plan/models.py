"""Two models of throughput over users. They explain what the search found; they decide nothing.

Operational bounds: throughput grows with the users until a limit, X = min(N / (R0 + Z), Xmax). Servers with bounded
workers and a fixed time per task look like this. The Universal Scalability Law: X = N / (a + b (N-1) + c N (N-1)),
where b/a is contention and c/a coherency, so throughput bends, and falls again where c is not 0. Both are fitted to
relative errors; the corrected Akaike criterion says which one the measurements support.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sendpoll.core.text.units import three_digits
from sendpoll.load.plan.steps import Step

LEAST_LEVELS: Final = 6
"""With fewer levels two or three parameters say nothing."""
REACH: Final = 1.5
"""How far beyond the highest tested level a curve is drawn."""
_REDRAWS: Final = 200
_CURVE_POINTS: Final = 40
_BAND: Final = 0.95

Points = Sequence[tuple[float, float]]
"""Pairs of users and tasks a second."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A fitted number with its interval at 95 %."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted model."""

    name: str
    formula: str
    parameters: Mapping[str, Parameter]
    aicc: float
    """The corrected Akaike criterion: lower is better supported."""
    curve: tuple[tuple[float, float, float, float], ...]
    """Users, tasks a second, and the interval of the latter, up to 1.5 times the highest tested level."""
    meaning: str
    """What the parameters say, in a sentence."""


@dataclass(frozen=True, slots=True)
class _Family:
    name: str
    formula: str
    fit: Callable[[Points], dict[str, float]]
    predict: Callable[[Mapping[str, float], float], float]
    freedom: int
    explain: Callable[[Mapping[str, Parameter]], str]


def fitted_models(steps: Sequence[Step]) -> tuple[Model, ...]:
    """The models that the steps can bear, the best supported first; none with fewer than six levels."""
    points = throughput_points(steps)
    if len(points) < LEAST_LEVELS:
        return ()
    return tuple(sorted((_fitted(family, points) for family in _FAMILIES), key=lambda model: model.aicc))


def throughput_points(steps: Sequence[Step]) -> list[tuple[float, float]]:
    """Level and throughput, steps of one level together by their time."""
    by_level: dict[float, list[Step]] = {}
    for step in steps:
        if step.started and step.seconds > 0:
            by_level.setdefault(step.level, []).append(step)
    return [
        (level, sum(step.started for step in held) / sum(step.seconds for step in held))
        for level, held in sorted(by_level.items())
    ]


def _fitted(family: _Family, points: Points) -> Model:
    best = family.fit(points)
    residuals = [math.log(seen / family.predict(best, users)) for users, seen in points]
    inflated = math.sqrt(len(points) / max(1, len(points) - family.freedom))
    rng = random.Random(0)
    redrawn = []
    for _ in range(_REDRAWS):
        errors = rng.choices(residuals, k=len(points))
        again = [
            (users, family.predict(best, users) * math.exp(error * inflated))
            for (users, _), error in zip(points, errors, strict=True)
        ]
        redrawn.append(family.fit(again))
    parameters = {key: _parameter(value, [one[key] for one in redrawn]) for key, value in best.items()}
    return Model(
        name=family.name,
        formula=family.formula,
        parameters=parameters,
        aicc=_aicc(residuals, family.freedom + 1),
        curve=tuple(_curve(family, best, redrawn, points[-1][0] * REACH)),
        meaning=family.explain(parameters),
    )


def _parameter(value: float, redrawn: Sequence[float]) -> Parameter:
    low, high = _ends(redrawn)
    return Parameter(value, min(low, value), max(high, value))


def _ends(values: Sequence[float]) -> tuple[float, float]:
    ordered = sorted(values)
    tail = (1 - _BAND) / 2
    return ordered[int(len(ordered) * tail)], ordered[min(len(ordered) - 1, int(len(ordered) * (1 - tail)))]


def _curve(
    family: _Family, best: Mapping[str, float], redrawn: Sequence[Mapping[str, float]], reach: float
) -> list[tuple[float, float, float, float]]:
    drawn = []
    for place in range(_CURVE_POINTS + 1):
        users = 1 + (reach - 1) * place / _CURVE_POINTS
        value = family.predict(best, users)
        low, high = _ends([family.predict(one, users) for one in redrawn])
        drawn.append((users, value, min(low, value), max(high, value)))
    return drawn


def _aicc(residuals: Sequence[float], freedom: int) -> float:
    count = len(residuals)
    spread = max(sum(residual**2 for residual in residuals) / count, 1e-12)
    return count * math.log(spread) + 2 * freedom + 2 * freedom * (freedom + 1) / max(1, count - freedom - 1)


# Operational bounds


def fit_bounds(points: Points) -> dict[str, float]:
    """The round of a lone user, R0 + Z in seconds, and the throughput limit, in tasks a second; least squared error."""
    best: tuple[float, dict[str, float]] | None = None
    for split in range(1, len(points) + 1):
        cycle = math.exp(sum(math.log(users / seen) for users, seen in points[:split]) / split)
        beyond = points[split:]
        limit = math.exp(sum(math.log(seen) for _, seen in beyond) / len(beyond)) if beyond else points[-1][0] / cycle
        found = {"cycle_s": cycle, "limit": limit}
        error = sum(math.log(seen / predict_bounds(found, users)) ** 2 for users, seen in points)
        if best is None or error < best[0]:
            best = (error, found)
    assert best is not None  # noqa: S101 - there is at least one point
    return best[1]


def predict_bounds(found: Mapping[str, float], users: float) -> float:
    """Tasks a second with so many users."""
    return min(users / found["cycle_s"], found["limit"])


def _explain_bounds(found: Mapping[str, Parameter]) -> str:
    cycle, limit = found["cycle_s"].value, found["limit"].value
    return (
        f"a lone user's round takes {cycle:.3g} s; the server completes at most {three_digits(limit)} tasks a second, "
        f"so beyond {cycle * limit:.0f} users tasks wait"
    )


# Universal Scalability Law


def fit_usl(points: Points) -> dict[str, float]:
    """`a`, `b` and `c` of N/X = a + b (N-1) + c N (N-1), none negative; weighted so that relative errors count."""
    rows = [((1.0, users - 1, users * (users - 1)), users / seen, (seen / users) ** 2) for users, seen in points]
    best: tuple[float, tuple[float, ...]] | None = None
    for size in (1, 2, 3):
        for used in itertools.combinations(range(3), size):
            solved = _least_squares(rows, used)
            if solved is None or solved[0] <= 0 or min(solved) < 0:
                continue
            error = sum(
                weight * (target - sum(x * y for x, y in zip(row, solved, strict=True))) ** 2
                for row, target, weight in rows
            )
            if best is None or error < best[0] * (1 - 1e-9):
                best = (error, solved)
    assert best is not None  # noqa: S101 - `a` alone is positive for any points
    return dict(zip("abc", best[1], strict=True))


def predict_usl(found: Mapping[str, float], users: float) -> float:
    """Tasks a second with so many users."""
    return users / (found["a"] + found["b"] * (users - 1) + found["c"] * users * (users - 1))


def _explain_usl(found: Mapping[str, Parameter]) -> str:
    a, b, c = (found[key].value for key in "abc")
    told = f"contention {b / a:.2g}, coherency {c / a:.2g} (of a lone user's {a:.3g} s a task)"
    if c > 0 and a > b:
        return f"{told}; throughput is highest at {math.sqrt((a - b) / c):.0f} users and falls beyond"
    return f"{told}; throughput levels off and does not fall"


def _least_squares(
    rows: Sequence[tuple[tuple[float, ...], float, float]], used: Sequence[int]
) -> tuple[float, ...] | None:
    """Coefficients with only those of `used` not 0; None where they are not determined."""
    size = len(used)
    columns = [[row[column] for row, _, _ in rows] for column in used]
    weights = [weight for _, _, weight in rows]
    scale = [math.sqrt(_dot(column, column, weights)) or 1.0 for column in columns]
    targets = [target for _, target, _ in rows]
    table = [
        [_dot(one, other, weights) / (scale[i] * scale[j]) for j, other in enumerate(columns)]
        + [_dot(one, targets, weights) / scale[i]]
        for i, one in enumerate(columns)
    ]
    if not _eliminate(table):
        return None
    found = [0.0, 0.0, 0.0]
    for i, column in enumerate(used):
        found[column] = table[i][size] / table[i][i] / scale[i]
    return tuple(found)


def _dot(one: Sequence[float], other: Sequence[float], weights: Sequence[float]) -> float:
    return sum(x * y * weight for x, y, weight in zip(one, other, weights, strict=True))


def _eliminate(table: list[list[float]]) -> bool:
    """Gauss and Jordan, in place; False where the table is singular."""
    size = len(table)
    for pivot in range(size):
        largest = max(range(pivot, size), key=[abs(row[pivot]) for row in table].__getitem__)
        table[pivot], table[largest] = table[largest], table[pivot]
        if abs(table[pivot][pivot]) < 1e-12:
            return False
        for row in range(size):
            if row != pivot:
                factor = table[row][pivot] / table[pivot][pivot]
                table[row] = [x - factor * y for x, y in zip(table[row], table[pivot], strict=True)]
    return True


_FAMILIES: Final = (
    _Family("operational bounds", "X = min(N / (R0 + Z), Xmax)", fit_bounds, predict_bounds, 2, _explain_bounds),
    _Family("Universal Scalability Law", "X = N / (a + b (N-1) + c N (N-1))", fit_usl, predict_usl, 3, _explain_usl),
)
