"""Results of plans that were held in virtual time, for the tests of what is written about plans."""

from __future__ import annotations

from typing import Any

from sendpoll.core.target.target import Target
from sendpoll.load.engine import RunResult, Workload
from sendpoll.load.measure.metrics import Metrics
from sendpoll.load.plan.result import PlanFacts, plan_result
from sendpoll.load.results.verdict import ExitCode
from sendpoll.load.scenario.scenario_file import load_scenario
from tests.load.plan.servers import KNOWN, Planned, planned

TOKEN = "a-very-secret-token"


def facts_of(plan: Planned, **more: Any) -> PlanFacts:
    records = [record for step in plan.steps for record in step.records]
    run = RunResult(
        metrics=Metrics(plan.settings.service),
        cohorts={},
        health={},
        problems=(),
        started_at=1_700_000_000.0,
        seconds=plan.seconds,
        workers=0,
    )
    return PlanFacts(
        workload=Workload(Target(base_url="http://127.0.0.1:8091", token=TOKEN), load_scenario("chat")),
        settings=plan.settings,
        observations=plan.book,
        conclusion=plan.conclusion,
        run=run,
        records=records,
        levels=[(step.settled_at, step.level) for step in plan.steps],
        **more,
    )


def made_up_result(name: str = "20 slots, fixed", slos: tuple[str, ...] = (), **more: Any) -> tuple[Any, ExitCode]:
    known = KNOWN[name]
    plan = planned(known.server, slos or (f"task p95 <= {known.limit_s}s", "errors <= 1%"))
    return plan_result(facts_of(plan, **more))
