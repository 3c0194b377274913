"""What was watched, as result and plan files hold it."""

from __future__ import annotations

from typing import TypedDict

from sendpoll.load.observe.figures import figures_of
from sendpoll.load.observe.observer import Recording
from sendpoll.load.observe.saturation import Course, Shortage, shortages, told
from sendpoll.load.observe.timeline import grid_of


class FindingTold(TypedDict):
    """A resource that gave; since when, and from how many users or messages a second on."""

    resource: str
    source: str
    name: str
    sentence: str
    since_s: float
    level: float | None


class FigureTold(TypedDict):
    """A number over time, a value a point."""

    source: str
    name: str
    resource: str
    unit: str
    limit: float | None
    values: list[float | None]


class ObservedTold(TypedDict):
    """All that was watched, on the time line of the run."""

    sentence: str
    findings: list[FindingTold]
    problems: list[str]
    seconds_per_point: float
    t: list[float]
    level: list[float | None]
    figures: list[FigureTold]


def observed(recording: Recording, unit: str = "users") -> ObservedTold:
    """The content of a file's `observed`; `unit` is what levels count."""
    grid = grid_of(recording)
    course = Course(grid, recording.levels, unit)
    figures = [figure for reading in recording.readings for figure in figures_of(reading, grid)]
    found = shortages(figures, course)
    sentence = told(found, figures) if figures else "nothing could be watched"
    return {
        "sentence": sentence,
        "findings": [_finding(one) for one in found],
        "problems": list(recording.problems),
        "seconds_per_point": grid.width,
        "t": grid.times,
        "level": [course.level(place) for place in range(grid.points)],
        "figures": [
            {
                "source": figure.source,
                "name": figure.name,
                "resource": figure.resource,
                "unit": figure.unit,
                "limit": figure.limit,
                "values": [None if value is None else float(f"{value:.6g}") for value in figure.values],
            }
            for figure in figures
        ],
    }


def memory_of(told: ObservedTold) -> list[tuple[float, float]]:
    """The memory of all that was watched together: seconds since the start, and bytes."""
    columns = [figure["values"] for figure in told["figures"] if figure["resource"] == "memory"]
    rows = zip(told["t"], *columns, strict=True)
    return [(at, sum(held)) for at, *values in rows if values and len(held := [v for v in values if v]) == len(values)]


def _finding(found: Shortage) -> FindingTold:
    return {
        "resource": found.resource,
        "source": found.source,
        "name": found.name,
        "sentence": found.sentence,
        "since_s": found.since_s,
        "level": found.level,
    }
