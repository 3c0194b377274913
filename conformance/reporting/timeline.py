"""Where each poll of a task stood in the task's log, as the geometry of a chart.

Time runs to the right and the log upwards: a reader that follows a healthy task draws a staircase, one that comes late
a single tall step, and events that come again a saw tooth. A reader that goes back of its own will draws several lines.
Offsets are opaque, so a position is counted from the events that were returned, as the oracle counts it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sendpoll.conformance.reporting.axis import Scale, Tick, TimeAxis, multiples, round_step, time_axis
from sendpoll.conformance.results.report_json import PollTold, TaskTold
from sendpoll.core.oracle import RUNNING
from sendpoll.core.text.safe import one_line
from sendpoll.core.text.units import counted

WIDTH = 960
HEIGHT = 240
LEFT, RIGHT, TOP, BOTTOM = 44, 14, 12, 26
STYLES = 6
"""Readers that are told apart by colour and dashes; a seventh looks like the first again."""
_SHOWN_POLLS = 400


@dataclass(frozen=True, slots=True)
class Mark:
    """One poll in the chart."""

    x: float
    top: float
    bottom: float
    kind: str
    """`events`, `empty` or `final`."""
    style: int
    title: str


@dataclass(frozen=True, slots=True)
class Reader:
    """One reader's way through the log."""

    name: str
    style: int
    paths: tuple[str, ...]
    """The points of a polyline each: one for every time that it went on from where it was."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The chart of one task."""

    task: TaskTold
    readers: tuple[Reader, ...]
    marks: tuple[Mark, ...]
    seconds: tuple[Tick, ...]
    events: tuple[Tick, ...]
    breaks: tuple[float, ...]
    """Where the time axis leaves a pause out."""
    unshown: int
    """Polls that are left out of the chart."""


@dataclass(frozen=True, slots=True)
class _Placed:
    poll: PollTold
    start: int
    end: int

    @property
    def received(self) -> float:
        """Seconds from the start of the run."""
        moment: float = self.poll["at_s"] + self.poll["took_s"]
        return moment


def timeline(task: TaskTold) -> Timeline:
    """The chart of one task of a report."""
    polls = sorted(task["polls"], key=lambda poll: poll["at_s"] + poll["took_s"])
    placed = _placed(polls[:_SHOWN_POLLS])
    moments = [(item.poll["at_s"], item.received) for item in placed]
    across = time_axis(moments, LEFT, WIDTH - RIGHT)
    most = max([item.end for item in placed] + [1])
    upwards = Scale(0, most, HEIGHT - BOTTOM, TOP)
    styles = {
        name: number % STYLES for number, name in enumerate(dict.fromkeys(item.poll["reader"] for item in placed))
    }
    steps = multiples(round_step(most / 4, 1.0), 0, most)
    return Timeline(
        task=task,
        readers=tuple(Reader(name, style, _paths(placed, name, across, upwards)) for name, style in styles.items()),
        marks=tuple(_mark(item, styles[item.poll["reader"]], across, upwards) for item in placed),
        seconds=across.ticks(6),
        events=tuple(Tick(upwards.at(value), f"{value:g}") for value in steps),
        breaks=across.breaks,
        unshown=len(polls) - len(placed),
    )


def _placed(polls: Sequence[PollTold]) -> list[_Placed]:
    positions = {0: 0}
    placed = []
    for poll in polls:
        start = positions.get(poll["asked"])
        if start is None:
            continue
        end = start + poll["events"]
        positions.setdefault(poll["next_offset"], end)
        placed.append(_Placed(poll, start, end))
    return placed


def _paths(placed: Sequence[_Placed], reader: str, across: TimeAxis, upwards: Scale) -> tuple[str, ...]:
    paths: list[list[str]] = []
    follows: int | None = None
    for item in placed:
        if item.poll["reader"] == reader:
            if follows is None or item.poll["asked"] != follows:
                paths.append([])
            follows = item.poll["next_offset"]
            sent, received = across.at(item.poll["at_s"]), across.at(item.received)
            start, end = upwards.at(item.start), upwards.at(item.end)
            paths[-1] += [f"{sent},{start}", f"{received},{start}", f"{received},{end}"]
    return tuple(" ".join(points) for points in paths)


def _mark(item: _Placed, style: int, across: TimeAxis, upwards: Scale) -> Mark:
    poll = item.poll
    kind = "final" if poll["status"] != RUNNING else "events" if poll["events"] else "empty"
    brought = counted(poll["events"], "event")
    if poll["events"]:
        brought += f" ({item.start} to {item.end - 1})" if poll["events"] > 1 else f" ({item.start})"
    title = (
        f"{poll['reader']}: from={poll['asked']} brought {brought}, next_offset {poll['next_offset']}, "
        f"{poll['status']}, at {poll['at_s']:.2f} s. {one_line(poll['text'], 80)}"
    )
    received = across.at(item.received)
    return Mark(received, upwards.at(item.end), upwards.at(item.start), kind, style, title)
