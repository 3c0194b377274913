"""What a person sees of a plan in the terminal: a line a step while it lasts, the answer at its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sendpoll.core.reports.console import SafeConsole, Side, grid
from sendpoll.core.text.safe import one_line
from sendpoll.core.text.units import NOTHING, percent, quantity
from sendpoll.load.plan.judge import Assessment
from sendpoll.load.plan.plan_json import Plan, SizingTold
from sendpoll.load.plan.report.markdown import bounds_of, level_of
from sendpoll.load.report.phrases import replicas_between
from sendpoll.load.report.result_terminal import observed_text

STYLES: Final = {
    "pass": "green",
    "fail": "red",
    "inconclusive": "yellow",
    "invalid": "magenta",
    "unreachable": "magenta",
    "interrupted": "yellow",
}


def step_line(seen: Assessment) -> Text:
    """One step, as it ended."""
    step = seen.step
    line = Text()
    line.append(f"{step.level:>7g}  ", "bold")
    line.append(f"{seen.verdict:<13}", STYLES[seen.verdict])
    line.append(f"{step.hold.purpose:<9}", "dim")
    line.append(f" {step.started:>5} tasks")
    worst = seen.binding
    told = f"{percent(worst.share)} {worst.objective.text}" if worst else "all good"
    line.append(f"  {told}", "dim")
    if step.recovery_s is not None:
        line.append(f"  recovered in {step.recovery_s:.0f} s")
    for problem in step.problems[:1]:
        line.append(f"\n         {one_line(problem)}", "magenta")
    return line


def print_plan(result: Plan, console: SafeConsole) -> None:
    """The answer, and the numbers behind it."""
    console.print_lines(Group(*_parts(result)))


def _parts(result: Plan) -> Iterator[RenderableType]:
    yield Text(result["end"].replace("_", " ").upper(), f"bold {STYLES[result['verdict']]}")
    yield Text(one_line(result["sentence"], 900))
    for note in result["notes"]:
        yield Padding(Text(one_line(note, 500), "dim"), (0, 0, 0, 2), expand=False)
    if "observed" in result:
        yield Text("\nWhat gives", "bold")
        yield observed_text(result["observed"])
    for title, table in _tables(result):
        yield Text(f"\n{title}", "bold")
        yield table
    if "spent" in result:
        yield Text("\nSpent", "bold")
        yield Text(result["spent"]["sentence"])
    for model in result["models"][:1]:
        yield Text(f"\n{model['name']}: {model['meaning']}.", "dim")


def _tables(result: Plan) -> Iterator[tuple[str, Table]]:
    unit = result["unit"]
    if len(result["tiers"]) > 1:
        yield "Tiers", _tiers(result)
    elif result["steps"] and len(result["answer"]["objectives"]) > 1:
        yield f"Objectives, by how many {unit} they hold", _objectives(result)
    if result["sizing"]:
        spare = f"{result['settings']['headroom']:.0%} below what one holds"
        yield (
            f"Replicas, each with {result['sizing']['per_replica']:g} {unit} ({spare})",
            _sizing(unit, result["sizing"]),
        )
    if result["polls"]:
        yield "Polling", _polls(result)


def _right(*heads: str) -> Table:
    sides: list[Side] = ["right" for _ in heads]
    return grid(*sides, heads=heads)


def _tiers(result: Plan) -> Table:
    unit = result["unit"]
    table = _right("tier", unit, "95% interval", "gives first")
    for tier in result["tiers"]:
        until = level_of(tier["level"], unit)
        table.add_row(tier["tier"] or "every tier", until, bounds_of(tier, unit), tier["binding"] or NOTHING)
    return table


def _objectives(result: Plan) -> Table:
    unit = result["unit"]
    table = _right("objective", "until", "95% interval")
    for row in result["answer"]["objectives"]:
        table.add_row(row["objective"], level_of(row["level"], unit), bounds_of(row, unit))
    return table


def _sizing(unit: str, sizing: SizingTold) -> Table:
    table = _right(unit, "replicas", "with one spare", "by the interval")
    for row in sizing["rows"]:
        numbers = (row["load"], row["replicas"], row["with_spare"])
        table.add_row(*(f"{number:,}" for number in numbers), replicas_between(row))
    return table


def _polls(result: Plan) -> Table:
    table = _right("each", "polls a task", "empty", "requests/s", "task p95", "capacity")
    for row in result["polls"]:
        table.add_row(
            quantity(row["interval_s"], "s"),
            f"{row['polls_per_task']:.1f}",
            percent(row["empty_share"]),
            quantity(row["requests_per_second"], ""),
            quantity(row["task_p95_s"], "s"),
            level_of(row["capacity"], result["unit"]),
        )
    return table
