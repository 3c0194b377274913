"""How many rows each budget of messages judges on a right server: `python -m tests.benchmarks.messages`.

With `--write`, the table in conformance/MESSAGES.md is written anew.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from sendpoll.conformance.results.judgement import Judgement
from sendpoll.conformance.results.report_json import Report, Row
from sendpoll.conformance.server.plugin import RunOptions
from sendpoll.conformance.server.probing.message_plan import plan_messages
from sendpoll.conformance.server.suite_run import check
from sendpoll.core.target.target import Target
from tests.conformance.limited import limited
from tests.conformance.reference import OTHER_TOKEN, TOKEN

BUDGETS = (1, 2, 4, 8, 16)
PAGE = Path(__file__).parents[2] / "conformance" / "MESSAGES.md"
_HEAD = """# What a budget of messages judges

Written by `python -m tests.benchmarks.messages --write`; do not edit.

Every message costs the time of an agent, and often money. `sendpoll check --max-messages N` sends at most N, the most
valuable first; what no message is left for is done with the task of the first one, as far as that goes.
Measured on the reference server, which is conformant: what is not judged there is what the budget leaves out.

| `--max-messages` | sent | MUST rows judged | SHOULD rows judged | left | what is sent beside the first walk |
|---:|---:|---:|---:|---|---|
"""


def report_of(budget: int) -> Report:
    """A run with so many messages on a right server."""
    with limited() as url:
        target = Target(base_url=url, token=TOKEN, second_token=OTHER_TOKEN, max_messages=budget)
        return check(target, RunOptions(1), Judgement())


def line(budget: int, report: Report) -> str:
    """One line of the table."""
    rows = report["requirements"]
    left = [row["id"] for row in rows if row["verdict"] not in {"pass", "fail", "not_applicable"}]
    sent = "; ".join(part.sentence for part in plan_messages(budget).parts if part.messages)
    cells = (str(budget), str(report["messages_sent"]), _judged(rows, "MUST"), _judged(rows, "SHOULD"))
    return f"| {' | '.join((*cells, ', '.join(left) or 'nothing', sent or 'nothing'))} |\n"


def _judged(rows: list[Row], level: str) -> str:
    of_level = [row for row in rows if row["level"] == level]
    judged = sum(row["verdict"] in {"pass", "fail", "not_applicable"} for row in of_level)
    return f"{judged} of {len(of_level)} ({100 * judged / len(of_level):.0f} %)"


def lines() -> Iterator[str]:
    """The table, line by line."""
    for budget in BUDGETS:
        yield line(budget, report_of(budget))


def main() -> None:
    """Print the table, or write the page."""
    options = argparse.ArgumentParser()
    options.add_argument("--write", action="store_true")
    given = options.parse_args()
    page = _HEAD
    for told in lines():
        print(told, end="", flush=True)
        page += told
    if given.write:
        PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
