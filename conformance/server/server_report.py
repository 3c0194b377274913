"""Makes the one report of a run out of what its checks said and what its context saw. Everything else renders it."""

from __future__ import annotations

import importlib.metadata
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sendpoll.conformance.results.evidence import SHOWN_TASKS, Evidence
from sendpoll.conformance.results.judgement import SCHEMA_VERSION, Judgement, listed
from sendpoll.conformance.results.report_json import (
    Report,
    ReportTarget,
    Row,
    TraitTold,
    UnfinishedTold,
)
from sendpoll.conformance.results.report_row import RowOutcome, row_told
from sendpoll.conformance.rules.verdict import ExitCode, RunVerdict, Verdict, join, run_verdict
from sendpoll.conformance.server.probing.forecast import finish
from sendpoll.conformance.server.probing.run_context import RunContext
from sendpoll.conformance.server.probing.traits_seen import traits_seen
from sendpoll.schemas.catalogue import Catalogue, Level, Requirement, Subject
from sendpoll.schemas.contract import JSON


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What happened in a run, beside its context."""

    results: Sequence[JSON]
    """What each check told (`plugin.PROPERTY`)."""
    crashes: Sequence[str]
    """How the suite itself broke, if it did."""
    started_at: datetime
    duration: float
    command: Sequence[str] = ("sendpoll", "check")
    """The words that would start such a run again."""


def build_report(context: RunContext, catalogue: Catalogue, ran: RunFacts, judgement: Judgement) -> Report:
    """The report as JSON, following `files/report.json`."""
    evidence = Evidence.of_target(context.target, context.recorder.started)
    rows = _rows(catalogue, ran.results, judgement, context)
    verdict, code = run_verdict(
        [(Level(row["level"]), Verdict(row["verdict"])) for row in rows], level=judgement.level, strict=judgement.strict
    )
    if ran.crashes:
        verdict, code = RunVerdict.UNDETERMINED, ExitCode.BROKEN
    left = _left(rows, context) if code is ExitCode.UNDETERMINED else None
    report: Report = {
        "schema_version": SCHEMA_VERSION,
        "subject": str(Subject.SERVER),
        "tool": {"name": "sendpoll", "version": importlib.metadata.version("sendpoll")},
        "verdict": str(verdict),
        "exit_code": int(code),
        "summary": evidence.text(_summary(verdict, code, rows, context, ran.crashes)),
        "level": judgement.level,
        "strict": judgement.strict,
        "seed": context.seed,
        "examples": context.examples,
        "target": _target(context, evidence),
        "started_at": ran.started_at.astimezone(UTC).isoformat(timespec="seconds"),
        "duration_s": round(ran.duration, 3),
        "requests": context.recorder.requests,
        "messages_sent": context.recorder.messages,
        "traits": _traits(context, evidence),
        "requirements": rows,
        "excluded": judgement.excluded(catalogue),
        "tasks": [evidence.task(task, task.kind) for task in context.tasks[:SHOWN_TASKS]],
        "left_behind": {
            "workspaces": [evidence.text(name) for name in context.created_resources.workspaces],
            "conversations": [evidence.text(name) for name in context.created_resources.conversations],
            "tasks": [evidence.text(name) for name in context.created_resources.tasks],
        },
        "notes": [evidence.text(note) for note in _notes(context, ran.crashes)],
    }
    if left:
        report["unfinished"] = _unfinished(left, context, ran.command, evidence)
    return report


def _rows(catalogue: Catalogue, results: Iterable[JSON], judgement: Judgement, context: RunContext) -> list[Row]:
    by_requirement: dict[str, list[JSON]] = defaultdict(list)
    for result in results:
        by_requirement[result["requirement"]].append(result)
    return [_row(row, by_requirement[row.id], context) for row in judgement.rows(catalogue)]


def _row(row: Requirement, results: Sequence[JSON], context: RunContext) -> Row:
    verdict = join(Verdict(result["verdict"]) for result in results)
    if not results and row.id in context.target.not_applicable:
        verdict = Verdict.NOT_APPLICABLE
    reasons = [result["reason"] for result in results if result["verdict"] == verdict and result["reason"]]
    if not results:
        cut_by = context.recorder.cut_by
        unrun = f"the run was cut short by {cut_by}" if cut_by else "its check did not run"
        reasons = [context.target.not_applicable.get(row.id) or context.trouble or context.stopped or unrun]
    violations = [one for result in results for one in result["violations"]]
    exercised = sum(result["exercised"] for result in results)
    checks = dict.fromkeys(result["check"] for result in results)
    return row_told(row, RowOutcome(verdict, exercised, violations, next(iter(reasons), ""), tuple(checks)))


def _summary(
    verdict: RunVerdict, code: ExitCode, rows: Sequence[Row], context: RunContext, crashes: Sequence[str]
) -> str:
    url = context.target.base_url
    if code is ExitCode.BROKEN:
        return f"The suite itself broke, so nothing is said about {url}: {crashes[0].splitlines()[-1][:200]}"
    failed = [row["id"] for row in rows if row["verdict"] == Verdict.FAIL]
    must = [row["id"] for row in rows if row["verdict"] == Verdict.FAIL and row["level"] == Level.MUST]
    open_rows = [row["id"] for row in rows if row["verdict"] in {Verdict.NOT_EXERCISED, Verdict.INCONCLUSIVE}]
    if verdict is RunVerdict.CONFORMANT:
        beside = f"; it misses {len(failed)} SHOULD: {listed(failed)}" if failed else ""
        unseen = [row["id"] for row in rows if row["verdict"] not in {Verdict.PASS, Verdict.FAIL}]
        rest = f" Not looked at: {listed(unseen)}." if unseen else ""
        return f"The published clients work with {url}{beside}.{rest}"
    if verdict is RunVerdict.NONCONFORMANT:
        kind = "MUST" if must else "SHOULD"
        return f"{url} breaks {len(must or failed)} {kind}: {listed(must or failed)}."
    if context.trouble or context.recorder.lost:
        return f"Nothing can be said: {context.trouble or context.recorder.lost}."
    return f"Nothing certain can be said about {url}: {len(open_rows)} rows were not exercised: {listed(open_rows)}."


def _left(rows: Sequence[Row], context: RunContext) -> list[str]:
    """The rows that more time or more messages would judge."""
    if context.trouble or context.stopped or context.recorder.lost:
        return []
    if not (context.was_short or context.plan.is_cut):
        return []
    return [row["id"] for row in rows if row["verdict"] == Verdict.NOT_EXERCISED]


def _unfinished(rows: Sequence[str], context: RunContext, command: Sequence[str], evidence: Evidence) -> UnfinishedTold:
    """The rows that are left, and the command that judges them."""
    needed = finish(context, rows)
    words = [*command, *(word for row in rows for word in ("--only", row))]
    words += ["--deadline", str(needed.deadline), "--max-messages", str(needed.max_messages)]
    if needed.task_timeout > context.target.timeouts.task:
        words += ["--task-timeout", str(needed.task_timeout)]
    return {"rows": list(rows), "command": evidence.text(" ".join(words))}


def _traits(context: RunContext, evidence: Evidence) -> list[TraitTold]:
    """What was seen of the target's kind, and what was declared and not seen."""
    seen, declared = traits_seen(context), context.target.traits
    told = {name: (sentence, seen.evidence.get(name, ""), "seen") for name, sentence in seen.sentences()}
    for name, sentence in declared.sentences():
        told.setdefault(name, (sentence, "the target file says so", "declared"))
    return [
        {"name": name, "sentence": evidence.text(sentence), "evidence": evidence.text(shown), "source": source}
        for name, (sentence, shown, source) in told.items()
    ]


def _target(context: RunContext, evidence: Evidence) -> ReportTarget:
    told: ReportTarget = {"url": evidence.text(context.target.base_url), "workspace": evidence.text(context.workspace)}
    if context.tasks:
        counted = all(task.history.counts_events for task in context.tasks)
        told["shape"] = context.api.shape.name
        told["offset_unit"] = "events" if counted else "opaque"
    return told


def _outages(context: RunContext) -> Iterable[str]:
    for outage in context.recorder.resending.presence.outages:
        began = outage.began - context.recorder.started
        lost = [
            flight.task_id
            for flight in context.in_flight.flights.values()
            if flight.sent_at < outage.began and (flight.ended_at or math.inf) > outage.began
        ]
        ran = f"; {', '.join(lost)} ran then and were judged by nothing" if lost else ""
        yield f"The target was away from {began:.1f} s for {outage.ended - outage.began:.1f} s{ran}."


def _restart(context: RunContext) -> Iterable[str]:
    order, downtime = context.restart, context.downtime
    if order is None or downtime is None:
        return
    at = downtime.began - context.recorder.started
    if downtime.trouble or downtime.away is None or downtime.back is None:
        yield f"At {at:.1f} s the target was to be restarted by {order.command!r}: {downtime.trouble}."
    else:
        away = downtime.back - downtime.away
        yield f"At {at:.1f} s the target was restarted by {order.command!r}; it answered again after {away:.1f} s."


def _notes(context: RunContext, crashes: Sequence[str]) -> Iterable[str]:
    yield from crashes
    yield from context.recorder.quotas.notes
    if context.stopped:
        yield context.stopped
    yield from _outages(context)
    yield from _restart(context)
    if context.created_resources.is_cut:
        yield "The run left more behind on the server than is listed."
    if context.recorder.is_full:
        yield "The tasks held more than is kept; what came beyond was not read."
    if not context.target.verify_tls:
        yield "The server's certificate was not verified (--insecure)."
    if context.recorder.remaining() <= 0 and not context.recorder.cut_by:
        yield f"The run was cut off at its deadline of {context.target.timeouts.run:g} s (--deadline)."
