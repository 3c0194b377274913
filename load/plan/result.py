"""`plan.json`: every step, verdict, answer and model of a plan. All other reports are renderings of it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from sendpoll.core.text.secrets import Redactor
from sendpoll.load.engine import RunResult, Workload
from sendpoll.load.measure.health import overall
from sendpoll.load.measure.records import Outcome, TaskRecord
from sendpoll.load.measure.spending import Spending
from sendpoll.load.observe.observed import observed
from sendpoll.load.observe.observer import Recording
from sendpoll.load.plan.answer import TierAnswer, sentence, tier_answer
from sendpoll.load.plan.changes import greatest_change
from sendpoll.load.plan.judge import Assessment
from sendpoll.load.plan.learnt import Learnt
from sendpoll.load.plan.little import little_check
from sendpoll.load.plan.models import Model, fitted_models
from sendpoll.load.plan.outcome import Conclusion, exit_code
from sendpoll.load.plan.plan_json import Plan
from sendpoll.load.plan.polling import PollCost, quantile
from sendpoll.load.plan.refused import refused_in
from sendpoll.load.plan.settings import Settings
from sendpoll.load.plan.sizing import CROWDS, RATES, assumptions, fleets
from sendpoll.load.plan.tallies import Observations
from sendpoll.load.results.load_result import described_target, environment_facts, version_of
from sendpoll.load.results.verdict import WORDS, ExitCode, ended_by
from sendpoll.schemas.contract import own_words

SCHEMA_VERSION: Final = 1
_BUCKET_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFacts:
    """What went into a plan and came out of it."""

    workload: Workload
    settings: Settings
    observations: Observations
    conclusion: Conclusion
    run: RunResult
    records: Sequence[TaskRecord] = ()
    """All tasks, in the order in which they ended."""
    levels: Sequence[tuple[float, float]] = ()
    """When (seconds since the start) which level was ordered."""
    polls: Sequence[PollCost] = ()
    learnt: Learnt | None = None
    """What the model came to; None where no task was slow enough for one."""
    required: float | None = None
    quick: bool = False
    spending: Spending = field(default_factory=Spending)
    recording: Recording | None = None
    """What was watched beside the load; None where nothing was."""
    notes: Sequence[str] = field(default=())
    """What a reader must know besides, a sentence each."""


def plan_result(facts: PlanFacts) -> tuple[Plan, ExitCode]:
    """The content of `plan.json`, without a secret in it, and what the process ends with."""
    settings, observations, conclusion = facts.settings, facts.observations, facts.conclusion
    answers = [tier_answer(observations, tier, settings) for tier in observations.tiers]
    answer = answers[0]
    code = exit_code(conclusion.end, answer.capacity.low, answer.capacity.high, facts.required)
    if facts.run.unreachable is not None:
        code = ExitCode.UNREACHABLE
    if facts.run.cut_by is not None:
        code = ended_by(facts.run.cut_by)
    result = {
        "kind": "sendpoll plan",
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "sendpoll", "version": version_of("sendpoll")},
        "verdict": WORDS[code],
        "exit_code": int(code),
        "end": str(conclusion.end),
        "because": conclusion.because,
        "sentence": _sentence(facts, answer),
        "notes": [*facts.notes, *_notes(facts, answer)],
        "started_at": dt.datetime.fromtimestamp(facts.run.started_at, dt.UTC).isoformat(timespec="seconds"),
        "seconds": round(facts.run.seconds, 3),
        "quick": facts.quick,
        "unit": settings.unit,
        "target": described_target(facts.workload.target),
        "scenario": facts.workload.scenario.as_json(),
        "workload_digest": facts.workload.scenario.digest,
        "seed": facts.workload.seed,
        "environment": environment_facts(facts.run.workers),
        "settings": _settings(facts),
        "answer": _tier(answer),
        "recommended": {"level": conclusion.recommended, "confirmed": conclusion.confirmed},
        "non_monotonic": list(conclusion.non_monotonic) if conclusion.non_monotonic else None,
        "recovery": {"seconds": conclusion.recovery_s, "recovered": conclusion.recovered},
        "tiers": [_tier(one) for one in answers],
        "steps": [_step(one, facts) for one in conclusion.assessments],
        "models": [] if settings.arrivals else [_model(model) for model in fitted_models(observations.steps)],
        "decided_by": "model" if facts.learnt is not None and not facts.learnt.thrown_out else "levels",
        "learnt": None if facts.learnt is None else facts.learnt.as_json(),
        "sizing": _sizing(facts, answer),
        "polls": [asdict(cost) for cost in facts.polls],
        "violations": dict(_violations(facts.records)),
        "timeline": timeline(facts.records, facts.levels),
        "generator": {**overall(facts.run.health).as_json(), "problems": list(facts.run.problems)},
    }
    upkeep = facts.spending.upkeep(conclusion.recommended, _messages_per_second(facts))
    result["spent"] = facts.spending.spent(facts.run.metrics.ledger.started, facts.run.seconds, upkeep)
    if facts.recording is not None:
        result["observed"] = observed(facts.recording, settings.unit)
    redacted: Plan = Redactor(facts.workload.target.secrets).data(result, own_words("files/plan.json"))
    return redacted, code


def _sentence(facts: PlanFacts, answer: TierAnswer) -> str:
    if facts.run.unreachable is not None:
        return f"The target cannot be reached: {facts.run.unreachable}."
    told = sentence(answer, facts.conclusion, facts.settings)
    if facts.required is None:
        return told
    word = {ExitCode.PASS: "are", ExitCode.SLO_FAILED: "are not"}.get(
        exit_code(facts.conclusion.end, answer.capacity.low, answer.capacity.high, facts.required),
        "may or may not be",
    )
    return f"{told} The required {facts.required:g} {facts.settings.unit} {word} held."


def _notes(facts: PlanFacts, answer: TierAnswer) -> list[str]:
    notes = [] if facts.learnt is None else [facts.learnt.sentence]
    clean = [
        (objective, sum(point.total for point in facts.observations.points(place)))
        for place, objective in enumerate(facts.observations.objectives)
        if any(objective is own for own, _ in answer.by_objective)
        and all(point.good == point.total for point in facts.observations.points(place))
    ]
    if named := " and ".join(objective.text for objective, total in clean if total):
        notes.append(f"not one bad sample of {named} in {max(total for _, total in clean):,} tasks")
    change = greatest_change(facts.observations)
    if change is not None:
        notes.append(change.sentence(facts.settings.unit))
    if facts.conclusion.warmed_up:
        notes.append("the first tasks were late and the next ones, at the same level, were not: those do not count")
    refused = refused_in(facts.observations.steps)
    if refused is not None:
        notes.append(refused.sentence)
    late = [one.step.lateness_s for one in facts.conclusion.assessments if one.step.late and not one.step.problems]
    if late:
        steps = f"{len(late)} of {len(facts.conclusion.assessments)} steps"
        notes.append(f"in {steps} the generator was late, by {max(late) * 1000:.0f} ms at most: too little to matter")
    if facts.records and _violations(facts.records):
        names = ", ".join(sorted(_violations(facts.records)))
        notes.append(f"requirements were broken under load ({names}); such tasks count as bad: run sendpoll check")
    return notes


def _messages_per_second(facts: PlanFacts) -> float | None:
    """What the server is sent at the recommended level, by the step that was held nearest to it."""
    level = facts.conclusion.recommended
    if level is None or facts.settings.arrivals:
        return level
    steps = [step for step in facts.observations.steps if step.throughput]
    nearest = min(steps, key=lambda step: abs(step.level - level), default=None)
    return None if nearest is None else nearest.throughput * level / nearest.level


def _settings(facts: PlanFacts) -> dict[str, Any]:
    settings = facts.settings
    return {
        "max_level": settings.max_level,
        "budget_s": settings.budget_s,
        "precision": settings.precision,
        "headroom": settings.headroom,
        "task_deadline_s": settings.task_deadline_s,
        "generator_requests_per_second": settings.generator_requests,
        "required": facts.required,
        "arrivals": settings.arrivals,
    }


def _tier(answer: TierAnswer) -> dict[str, Any]:
    return {
        "tier": answer.tier,
        **asdict(answer.capacity),
        "binding": answer.binding.text if answer.binding else None,
        "cliff": asdict(answer.cliff) if answer.cliff else None,
        "objectives": [
            {"objective": objective.text, "share": objective.share, "limit_s": objective.limit_s, **asdict(found)}
            for objective, found in answer.by_objective
        ],
    }


def _step(assessment: Assessment, facts: PlanFacts) -> dict[str, Any]:
    step = assessment.step
    think = facts.workload.scenario.think_time.mean
    little = little_check(step, think, facts.settings.arrivals)
    polls = sum(record.polls for record in step.records)
    ttfe = [record.ttfe_s for record in step.records if record.ttfe_s is not None]
    task = [record.elapsed_s for record in step.records]
    return {
        "number": step.number,
        "purpose": str(step.hold.purpose),
        "level": step.level,
        "verdict": str(assessment.verdict),
        "at_s": round(step.settled_at, 3),
        "seconds": round(step.seconds, 3),
        "ended_s": round(step.ended_at, 3),
        "tasks": step.started,
        "unfinished": step.unfinished,
        "refused": sum(record.outcome is Outcome.REFUSED for record in step.records),
        "throughput": step.throughput,
        "in_progress": step.in_progress,
        "requests_per_second": step.requests_per_second,
        "empty_share": sum(record.empty_polls for record in step.records) / polls if polls else None,
        "ttfe_s": {"p50": quantile(ttfe, 0.5), "p95": quantile(ttfe, 0.95)},
        "task_s": {"p50": quantile(task, 0.5), "p95": quantile(task, 0.95)},
        "objectives": [
            {
                "objective": one.objective.text,
                "good": one.tally.good,
                "samples": one.tally.total,
                "share": one.share,
                "low": one.evidence.low,
                "high": one.evidence.high,
                "design_effect": one.evidence.effect,
                "verdict": str(one.decision),
            }
            for one in assessment.objectives
        ],
        "little": None if little is None else {**asdict(little), "gap": little.gap, "holds": little.holds},
        "steady": step.steady,
        "recovery_s": step.recovery_s,
        "problems": list(step.problems),
    }


def _model(model: Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "formula": model.formula,
        "parameters": {key: asdict(value) for key, value in model.parameters.items()},
        "aicc": model.aicc,
        "meaning": model.meaning,
        "curve": [list(point) for point in model.curve],
    }


def _sizing(facts: PlanFacts, answer: TierAnswer) -> dict[str, Any] | None:
    recommended, found = facts.conclusion.recommended, answer.capacity
    best = found.level or found.low
    refused = refused_in(facts.observations.steps)
    if not recommended or not best or (refused is not None and refused.is_limit):
        return None
    rows = fleets(RATES if facts.settings.arrivals else CROWDS, recommended, best, found.low, found.high)
    return {
        "per_replica": recommended,
        "rows": [asdict(row) for row in rows],
        "assumptions": list(assumptions(recommended, facts.settings.headroom, facts.settings.unit)),
    }


def _violations(records: Sequence[TaskRecord]) -> Counter[str]:
    return Counter(name for record in records for name in {requirement for requirement, _ in record.violations})


def timeline(records: Sequence[TaskRecord], levels: Sequence[tuple[float, float]]) -> dict[str, list[float | None]]:
    """The whole run in buckets of 5 s of when tasks were due: level, tasks, and p95 of first event and task time."""
    if not records or not levels:
        return {"t": [], "level": [], "tasks": [], "ttfe_p95": [], "task_p95": []}
    buckets: dict[int, list[TaskRecord]] = {}
    for record in records:
        buckets.setdefault(int(max(0.0, record.scheduled_at) // _BUCKET_S), []).append(record)
    columns: dict[str, list[float | None]] = {"t": [], "level": [], "tasks": [], "ttfe_p95": [], "task_p95": []}
    ordered = sorted(levels)
    for place in range(max(buckets) + 1):
        held, at = buckets.get(place, []), place * _BUCKET_S
        columns["t"].append(at)
        columns["level"].append(
            next((level for since, level in reversed(ordered) if since <= at + _BUCKET_S / 2), None)
        )
        columns["tasks"].append(len(held) / _BUCKET_S)
        columns["ttfe_p95"].append(quantile([one.ttfe_s for one in held if one.ttfe_s is not None], 0.95))
        columns["task_p95"].append(quantile([one.elapsed_s for one in held], 0.95))
    return columns
