"""Runs that never took place, for the tests of what is written about runs."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sendpoll.core.target.target import Target
from sendpoll.load.measure.metrics import Metrics
from sendpoll.load.measure.records import Exchange, Outcome, TaskRecord, ViolationRecord
from sendpoll.load.measure.slo import ServiceLevel
from sendpoll.load.results.load_result import RunFacts, load_result
from sendpoll.load.scenario.scenario import Scenario
from sendpoll.load.scenario.scenario_file import load_scenario

SLOS = ("ttfe p95 <= 2s", "task p95 <= 30s", "poll p99 <= 200ms", "errors <= 1%", "gold: ttfe p95 <= 1s")


def record(**changes: Any) -> TaskRecord:
    """A finished task without faults, but for what the test says."""
    told: dict[str, Any] = {
        "user": 1,
        "scheduled_at": 10.0,
        "sent_at": 10.001,
        "ended_at": 14.0,
        "submit_s": 0.02,
        "ttfe_s": 0.8,
        "ttfe_lower_s": 0.3,
        "stall_s": 0.6,
        "polls": 8,
        "empty_polls": 2,
        "events": 40,
        "bytes": 4000,
        "status": "completed",
        "outcome": Outcome.FINISHED,
    }
    return TaskRecord(**(told | changes))


@dataclass(frozen=True, kw_only=True)
class Run:
    """A simulated run: `rate` tasks a second, their latencies log-normal and `slower` times those of another."""

    seconds: int = 60
    rate: float = 4.0
    seed: int = 1
    slos: Sequence[str] = SLOS
    slower: float = 1.0
    failing: float = 0.0
    polls: int = 6
    growth: float = 0.0
    """By which share the latencies grow in an hour."""
    drift: float = 0.0
    """Standard deviation of the logarithm of a factor on all latencies that wanders within about 10 s."""


def metrics_of(run: Run) -> Metrics:
    """What the users of a run would have measured."""
    metrics = Metrics(ServiceLevel.parse(run.slos))
    source = random.Random(run.seed)
    wander, fade = 0.0, math.exp(-1 / 10)
    for second in range(run.seconds):
        wander = fade * wander + source.gauss(0, run.drift * math.sqrt(1 - fade * fade)) if run.drift else 0.0
        now = replace(run, slower=run.slower * math.exp(wander + run.growth * second / 3600))
        due = run.rate * min(1.0, (second + 1) / max(1, run.seconds // 6))
        for user in range(int(due) + (source.random() < due % 1)):
            _one_task(metrics, source, second, user, now)
        metrics.lag(source.expovariate(1 / 0.001))
        metrics.tick(second + 1, round(due * 6))
    return metrics


def _one_task(metrics: Metrics, source: random.Random, second: int, user: int, run: Run) -> None:
    metrics.started()
    submit = source.lognormvariate(math.log(0.012), 0.4) * run.slower
    metrics.submit(submit)
    for poll in range(run.polls):
        latency = source.lognormvariate(math.log(0.006), 0.5) * run.slower
        empty = poll % 3 == 0
        metrics.poll(latency, latency + 0.0004, poll * 5, empty, 0 if empty else 5, 60 if empty else 420)
        metrics.slip(source.expovariate(1 / 0.0005), 0.0)
    ttfe = source.lognormvariate(math.log(0.55), 0.35) * run.slower
    task = ttfe + source.lognormvariate(math.log(4), 0.4) * run.slower
    failed = source.random() < run.failing
    if failed:
        metrics.error("GET task: 503")
    metrics.task(
        record(
            user=user,
            scheduled_at=float(second),
            sent_at=second + 0.0005,
            ended_at=second + task,
            submit_s=submit,
            ttfe_s=ttfe,
            ttfe_lower_s=max(0.0, ttfe - 0.5),
            stall_s=source.uniform(0.4, 0.9),
            polls=run.polls,
            outcome=Outcome.FAILED if failed else Outcome.FINISHED,
            error="GET task: 503" if failed else "",
        )
    )


def broken_offset(text: str = "event 3 came again: from=2 now returns other events") -> ViolationRecord:
    """A violation with the two exchanges that prove it."""
    exchanges = (
        Exchange("GET /api/v1/tasks/t1?from=0", 3.1, 3.12, 200, '{"data": {"status": "running", "next_offset": 3}}'),
        Exchange("GET /api/v1/tasks/t1?from=2", 3.6, 3.63, 200, '{"data": {"status": "running", "next_offset": 9}}'),
    )
    return ViolationRecord("POLL-5", text, 3.63, 4, exchanges)


def facts(scenario: Scenario | None = None, **changes: Any) -> RunFacts:
    """A sound run against a server with a secret."""
    told: dict[str, Any] = {
        "target": Target(base_url="http://127.0.0.1:8091", token="very-secret-token"),
        "scenario": scenario or load_scenario("chat", {"slos": list(SLOS)}),
        "started_at": 1_790_000_000.0,
        "seconds": 61.5,
        "generator": {"loop_lag_p99_s": 0.004, "slip_p99_s": 0.003, "cpu_peak": 0.31},
    }
    return RunFacts(**(told | changes))


def result_of(metrics: Metrics, **changes: Any) -> Any:
    """The content of result.json for these metrics."""
    return load_result(facts(**changes), metrics)[0]
