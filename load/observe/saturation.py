"""Which resource gave: a figure that stood at its limit, a queue that did not empty, memory that only grew.

What is full explains what waits for it, so a limit is named before a queue, and a queue before growth.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sendpoll.core.text.units import percent, three_digits
from sendpoll.load.observe.figures import Figure, Resource
from sendpoll.load.observe.timeline import Column, Grid, level_at

_ORDER: Final[tuple[Resource, ...]] = ("files", "memory", "cpu", "thread", "share", "pool", "queue")
_FULL: Final = 0.95
_BUSY: Final = 0.9
"""Of CPU and of shares of time: between two readings there is always some that is lost to others."""
_AROUND: Final = 2
"""Points before and after, of which most must agree."""
_COUNTED: Final = frozenset({"files", "memory", "pool"})
"""What is counted one by one is full at once; what is a share of time is smoothed."""
_LEAST_POINTS: Final = 4
_LEAST_SHARE: Final = 0.05
"""Of the run: a limit that is met for so long is no hiccup."""
_QUEUE_SHARE: Final = 0.1
"""A queue may stand for a moment without anything being short."""
_GROWTH_POINTS: Final = 20
_GROWTH: Final = 0.03
_GROWTH_BYTES: Final = 4e6
"""Less than that any runtime takes while it warms up."""


@dataclass(frozen=True, slots=True)
class Shortage:
    """A resource that gave, and what shows it."""

    resource: Resource
    source: str
    name: str
    """Of the figure."""
    sentence: str
    since_s: float
    """Since when, in seconds from the start of the run."""
    level: float | None
    """From how many users on, or messages a second."""


@dataclass(frozen=True, slots=True)
class Course:
    """How much load there was when."""

    grid: Grid
    levels: Sequence[tuple[float, float]]
    unit: str = "users"

    def level(self, place: int) -> float | None:
        """What was held at a point. What is known of the load trails it by up to a second."""
        return level_at(self.levels, (place + 1) * self.grid.width + 0.5)

    def since(self, place: int) -> str:
        """Half a sentence: from which level on."""
        level = self.level(place)
        if level is None:
            return ""
        return f" from {level:g} {'user' if level == 1 and self.unit == 'users' else self.unit} on"


def shortages(figures: Sequence[Figure], course: Course) -> list[Shortage]:
    """All that gave, what explains the others first."""
    found: list[Shortage] = []
    for resource in _ORDER:
        same = [one for figure in figures if figure.resource == resource and (one := _met(figure, figures, course))]
        found += sorted(same, key=lambda one: one.since_s)
    if any(one.resource == "cpu" for one in found):  # that all cores are busy says more than that one thread is
        found = [one for one in found if one.resource != "thread"]
    grown = [_growth(figure, course) for figure in figures if figure.resource == "memory"]
    return found + [one for one in grown if one is not None and all(one.name != other.name for other in found)]


def told(found: Sequence[Shortage], figures: Sequence[Figure]) -> str:
    """The sentence: what gave, or that nothing seen did and how far it was from it."""
    if found:
        return found[0].sentence
    distances = ((max(one.known) / one.limit, one) for one in figures if one.limit and one.known)
    nearest = sorted(distances, key=lambda pair: -pair[0])[:3]
    seen = ", ".join(f"{_title(one)} {_of(max(one.known), one)}" for _, one in nearest)
    return f"nothing that was watched gave{f': at most {seen}' if seen else ''}"


def _met(figure: Figure, figures: Sequence[Figure], course: Course) -> Shortage | None:
    if figure.resource == "queue":
        return _queue(figure, figures, course)
    if figure.limit is None:
        return None
    counts = figure.resource in _COUNTED
    bound = figure.limit * (_FULL if counts else _BUSY)
    places = _places(figure.values, bound, smooth=not counts)
    if len(places) < max(_LEAST_POINTS, _LEAST_SHARE * len(figure.known)):
        return None
    held = [value for place in places if (value := figure.values[place]) is not None]
    shown = max(held) if counts else _mean(held)
    sentence = f"{_title(figure)}: {_of(shown, figure)}{course.since(places[0])}{_why(figure)} ({figure.source})"
    return _finding(figure, sentence, places[0], course)


def _queue(figure: Figure, figures: Sequence[Figure], course: Course) -> Shortage | None:
    places = _places(figure.values, 1.0, smooth=True)
    if len(places) < max(_LEAST_POINTS, _QUEUE_SHARE * len(figure.known)):
        return None
    most = max(figure.known)
    served = next((one for one in figures if one.name == figure.beside and one.source == figure.source), None)
    while_served = f" while {served.name} is {three_digits(max(served.known))} at most" if served else ""
    sentence = (
        f"the queue {figure.name} does not empty{course.since(places[0])}, and comes to {three_digits(most)}"
        f"{while_served}: more wait than are served at once ({figure.source})"
    )
    return _finding(figure, sentence, places[0], course)


def _growth(figure: Figure, course: Course) -> Shortage | None:
    """Memory that grew all the time, and was still growing at the end. The first quarter is the server's to warm up."""
    points = [(place, value) for place, value in enumerate(figure.values) if value is not None]
    points = points[len(points) // 4 :]
    if len(points) < _GROWTH_POINTS:
        return None
    size = len(points) // 4
    means = [_mean([value for _, value in points[start : start + size]]) for start in range(0, 4 * size, size)]
    steps = [after - before for before, after in itertools.pairwise(means)]
    grown = means[-1] - means[0]
    steady = all(step > 0 for step in steps) and steps[-1] >= 0.4 * grown / len(steps)
    if not steady or grown < max(_GROWTH_BYTES, _GROWTH * means[0]):
        return None
    slope = grown / (3 * size * course.grid.width)
    first, last = figure.known[0], figure.known[-1]
    ahead = ""
    if figure.limit is not None:
        ahead = f", and would be at its limit of {_bytes(figure.limit)} in {_span((figure.limit - last) / slope)}"
    sentence = (
        f"memory grows all the time, by {_bytes(slope * 60)} a minute: {_bytes(first)} at the start, {_bytes(last)} at "
        f"the end{ahead} ({figure.source})"
    )
    return _finding(figure, sentence, points[0][0], course)


def _finding(figure: Figure, sentence: str, place: int, course: Course) -> Shortage:
    since = round(place * course.grid.width, 3)
    return Shortage(figure.resource, figure.source, figure.name, sentence, since, course.level(place))


def _places(values: Column, bound: float, *, smooth: bool) -> list[int]:
    """The points at which a figure is at least `bound`; smoothed, most of those around must be so too."""
    places = []
    for place, value in enumerate(values):
        around = _AROUND if smooth else 0
        near = [one for one in values[max(0, place - around) : place + around + 1] if one is not None]
        if value is not None and value >= 0.9 * bound and statistics.median(near) >= bound:
            places.append(place)
    return places


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _title(figure: Figure) -> str:
    titles = {"files": "open files", "memory": "memory", "cpu": "CPU"}
    if figure.resource == "thread":
        return "CPU, busiest thread"
    return titles.get(figure.resource, figure.name)


def _why(figure: Figure) -> str:
    if figure.resource == "thread":
        return ", running or waiting for a core: one thread cannot use more than one core"
    return ", all that one thread can use" if figure.resource == "cpu" and figure.limit == 1 else ""


def _of(value: float, figure: Figure) -> str:
    """A value beside its limit."""
    limit = figure.limit or math.nan
    if figure.unit == "bytes":
        return f"{_bytes(value)} of {_bytes(limit)}"
    if figure.unit == "share":
        return percent(value)
    if figure.unit == "cores":
        return f"{percent(value / limit)} of {f'{limit:g} cores' if limit != 1 else 'one core'}"
    return f"{value:,.0f} of {limit:,.0f}"


def _bytes(value: float) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if abs(value) >= size:
            return f"{three_digits(value / size)} {unit}"
    return f"{three_digits(value / 1e3)} kB"


def _span(seconds: float) -> str:
    if seconds >= 48 * 3600:
        return f"{three_digits(seconds / 86400)} days"
    return f"{three_digits(seconds / 3600)} hours" if seconds >= 5400 else f"{three_digits(seconds / 60)} minutes"
