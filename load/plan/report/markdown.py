"""Markdown of a plan, short enough for the summary of a CI job."""

from __future__ import annotations

from collections.abc import Iterator

from sendpoll.core.reports.markdown import bullets, document, table
from sendpoll.core.text.safe import markdown
from sendpoll.core.text.units import NOTHING, percent, quantity, short_seconds, three_digits
from sendpoll.load.plan.plan_json import CapacityTold, Plan
from sendpoll.load.report.phrases import replicas_between
from sendpoll.load.report.result_markdown import observed_blocks


def plan_markdown(result: Plan) -> str:
    """The whole text. Nothing that a server said is markup in it."""
    return document(_blocks(result))


def _blocks(result: Plan) -> Iterator[str]:
    yield f"## Sendpoll plan: {result['end'].replace('_', ' ').upper()}"
    yield markdown(result["sentence"], 900)
    yield bullets(markdown(note, 500) for note in result["notes"])
    yield (
        f"Scenario {markdown(result['scenario']['name'])} against {markdown(result['target']['base_url'])}, "
        f"{short_seconds(result['seconds'])}."
    )
    yield from observed_blocks(result.get("observed"))
    yield from _tiers(result)
    yield _objectives(result)
    yield _steps(result)
    yield from _sizing(result)
    yield from _polls(result)
    if "spent" in result:
        yield f"Spent: {result['spent']['sentence']}."


def level_of(value: float | None, unit: str) -> str:
    """A level as tables write it."""
    if value is None:
        return NOTHING
    return f"{int(value)}" if unit == "users" else three_digits(value)


def bounds_of(row: CapacityTold, unit: str) -> str:
    """The interval of a level as tables write it."""
    return f"{level_of(row['low'], unit)} to {level_of(row['high'], unit)}"


def _tiers(result: Plan) -> Iterator[str]:
    unit = result["unit"]
    if len(result["tiers"]) > 1:
        rows = [
            (
                markdown(tier["tier"] or "every tier"),
                level_of(tier["level"], unit),
                bounds_of(tier, unit),
                markdown(tier["binding"] or NOTHING),
            )
            for tier in result["tiers"]
        ]
        yield table(("Tier", f">Holds {unit}", "95% interval", "Gives first"), rows)


def _objectives(result: Plan) -> str:
    unit = result["unit"]
    rows = [
        (
            markdown(row["objective"]),
            level_of(row["level"], unit),
            bounds_of(row, unit),
            "gives first" if row["objective"] == tier["binding"] else "",
        )
        for tier in result["tiers"]
        for row in tier["objectives"]
    ]
    return table(("Objective", f">Holds until ({unit})", "95% interval", ""), rows)


def _steps(result: Plan) -> str:
    wanted = {row["objective"] for row in result["answer"]["objectives"]}
    rows = []
    for step in result["steps"]:
        worst = min((row["share"] for row in step["objectives"] if row["objective"] in wanted), default=None)
        rows.append(
            (
                level_of(step["level"], result["unit"]),
                step["verdict"],
                step["purpose"],
                step["tasks"],
                quantity(step["throughput"], ""),
                quantity(step["ttfe_s"]["p95"], "s"),
                quantity(step["task_s"]["p95"], "s"),
                percent(worst),
            )
        )
    heads = ("Verdict", "Why", ">Tasks", ">Tasks/s", ">First event p95", ">Task p95", ">Worst share")
    return table((f">{result['unit']}", *heads), rows)


def _sizing(result: Plan) -> Iterator[str]:
    if result["sizing"]:
        rows = [
            (f"{row['load']:,}", f"{row['replicas']:,}", f"{row['with_spare']:,}", replicas_between(row))
            for row in result["sizing"]["rows"]
        ]
        yield table((f">{result['unit']}", ">Replicas", ">With one spare", "By the interval"), rows)


def _polls(result: Plan) -> Iterator[str]:
    if result["polls"]:
        rows = []
        for row in result["polls"]:
            ends = [level_of(row[key], result["unit"]) for key in ("capacity", "capacity_low", "capacity_high")]
            rows.append(
                (
                    quantity(row["interval_s"], "s"),
                    f"{row['polls_per_task']:.1f}",
                    percent(row["empty_share"]),
                    quantity(row["requests_per_second"], ""),
                    quantity(row["task_p95_s"], "s"),
                    f"{ends[0]} ({ends[1]} to {ends[2]})",
                )
            )
        yield table((">Poll each", ">Polls a task", ">Empty", ">Requests/s", ">Task p95", "Capacity"), rows)
