"""`result.json`: everything that a load run measured and decided. All other reports are renderings of it."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import os
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sendpoll.core.target.target import Target
from sendpoll.core.text.secrets import Redactor
from sendpoll.load.measure.histogram import Histogram, bounds_of
from sendpoll.load.measure.metrics import Metrics
from sendpoll.load.measure.records import Exchange, Standing, ViolationRecord
from sendpoll.load.measure.spending import Spending
from sendpoll.load.measure.statistics import Estimate, quantiles_over, rate_estimate, wilson
from sendpoll.load.measure.window import Window
from sendpoll.load.observe.observed import memory_of, observed
from sendpoll.load.observe.observer import Recording
from sendpoll.load.results.gates import gates_of
from sendpoll.load.results.result_json import LoadResult
from sendpoll.load.results.series import course, dense
from sendpoll.load.results.verdict import InconclusiveAs, RunVerdict, cut_short, verdict_of
from sendpoll.load.scenario.scenario import Scenario
from sendpoll.schemas.catalogue import load_catalogue
from sendpoll.schemas.contract import own_words

SCHEMA_VERSION: Final = 2
QUANTILES: Final = (0.5, 0.9, 0.95, 0.99, 0.999)
DURATIONS: Final = {
    "ttfe": "time to first event",
    "ttfe_lower": "time to first event, lower bound",
    "task": "task time",
    "stall": "longest stall of a task",
    "submit": "submit latency",
    "poll": "poll latency, from the scheduled time",
    "poll_from_send": "poll latency, from the send",
    "lag": "event-loop lag of the generator",
    "slip": "poll slip through the generator",
    "server_slip": "poll slip through late answers",
}
UNITS: Final = {
    "polls_per_task": "polls per task",
    "events_per_poll": "events per poll that brought any",
    "bytes_per_poll": "bytes per poll that brought events",
}
_PACKAGES: Final = ("locust", "gevent", "jsonschema-rs")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What the metrics do not know of a run."""

    target: Target
    scenario: Scenario
    seed: int = 0
    started_at: float
    """Wall clock, seconds since the epoch."""
    seconds: float
    workers: int = 0
    """Worker processes; 0: all users ran in one process."""
    generator: Mapping[str, Any] = field(default_factory=dict)
    """The generator's health, as its own measurement writes it."""
    problems: Sequence[str] = ()
    """Why the generator cannot be trusted, a sentence each."""
    unreachable: str | None = None
    cut_by: int | None = None
    """The signal that cut the run short; None where none did."""
    samples: Sequence[Mapping[str, Any]] = ()
    """Exchanges behind the first failures of each kind."""
    connections: Mapping[str, int] = field(default_factory=dict)
    """How many connections were made to each address of the target's name."""
    spending: Spending = field(default_factory=Spending)
    recording: Recording | None = None
    """What was watched beside the load; None where nothing was."""


def load_result(
    facts: RunFacts, metrics: Metrics, inconclusive: InconclusiveAs = "inconclusive"
) -> tuple[LoadResult, RunVerdict]:
    """The content of `result.json`, without a secret in it, and the verdict on the run."""
    watched = None if facts.recording is None else observed(facts.recording)
    gates = gates_of(metrics, memory=[] if watched is None else memory_of(watched))
    verdict = verdict_of(gates, metrics.ledger, facts.problems, facts.unreachable, inconclusive)
    if facts.cut_by is not None:
        verdict = cut_short(verdict, facts.cut_by)
    result = {
        "kind": "sendpoll load result",
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "sendpoll", "version": version_of("sendpoll")},
        **verdict.as_json(),
        "exit_code": int(verdict.code),
        "started_at": dt.datetime.fromtimestamp(facts.started_at, dt.UTC).isoformat(timespec="seconds"),
        "seconds": round(facts.seconds, 3),
        "interrupted": facts.cut_by is not None,
        "target": {**described_target(facts.target), "connections": dict(facts.connections)},
        "scenario": facts.scenario.as_json(),
        "workload_digest": facts.scenario.digest,
        "seed": facts.seed,
        "environment": environment_facts(facts.workers),
        "ledger": metrics.ledger.as_json(),
        "gates": [gate.as_json() for gate in gates],
        "tiers": _tiers(metrics),
        "goodput": _estimate(_goodput(metrics.series)),
        "metrics": _metrics(metrics),
        "polls": _polls(metrics.total),
        "poll_by_log_length": _by_length(metrics.total),
        "refusals": [{"kind": kind, "count": count} for kind, count in metrics.refusals.most_common()],
        "errors": [{"kind": kind, "count": count} for kind, count in metrics.errors.most_common()],
        "violations": _broken_rows(metrics.total.violations, metrics),
        "missed": _broken_rows(metrics.total.missed, metrics),
        "samples": list(facts.samples),
        "series": course(metrics),
        "spent": facts.spending.spent(metrics.ledger.started, facts.seconds),
        "generator": {**facts.generator, "problems": list(facts.problems)},
    }
    if watched is not None:
        result["observed"] = watched
    redacted: LoadResult = Redactor(facts.target.secrets).data(result, own_words("files/load-result.json"))
    return redacted, verdict


def described_target(target: Target) -> dict[str, Any]:
    """The target as reports write it."""
    return {
        "base_url": target.base_url,
        "verify_tls": target.verify_tls,
        "headers": [name for name, _ in target.headers],
        "workspace": target.workspace,
    }


def environment_facts(workers: int) -> dict[str, Any]:
    """Where the load came from, as reports write it."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "workers": workers,
        "packages": {name: version_of(name) for name in _PACKAGES},
    }


def version_of(package: str) -> str:
    """The installed version of a package."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _tiers(metrics: Metrics) -> list[dict[str, Any]]:
    samples = metrics.total.counts["samples"]
    rows = []
    for tier, good in zip(metrics.level.tiers, metrics.total.good_by_tier, strict=True):
        interval = wilson(good, samples)
        share = good / samples if samples else None
        row = {"tier": tier, "good": good, "samples": samples, "attainment": share}
        rows.append({**row, "low": interval.low, "high": interval.high})
    return rows


def _goodput(windows: Sequence[Window]) -> Estimate | None:
    good = [window.standings[Standing.GOOD] if window else 0 for window in dense(windows)]
    return rate_estimate(good, windows[0].seconds) if windows else None


def _estimate(estimate: Estimate | None, scale: float = 1.0) -> dict[str, Any] | None:
    if estimate is None:
        return None
    ends = {key: None if end is None else end * scale for key, end in (("low", estimate.low), ("high", estimate.high))}
    return {"value": estimate.value * scale, **ends, "effective_samples": round(estimate.effective, 1)}


def _metrics(metrics: Metrics) -> dict[str, Any]:
    described: dict[str, Any] = {}
    windows = metrics.series
    for name, title in (DURATIONS | UNITS).items():
        estimates = quantiles_over([_histogram(window, name) for window in windows], QUANTILES)
        total = _histogram(metrics.total, name)
        scale = 1e-6 if name in DURATIONS else 1.0
        described[name] = {
            "title": title,
            "unit": "s" if name in DURATIONS else "",
            "count": total.count,
            "mean": total.mean * scale if total else None,
            "max": total.maximum * scale if total else None,
            "quantiles": {
                f"p{share * 100:g}": _estimate(estimate, scale)
                for share, estimate in zip(QUANTILES, estimates, strict=True)
            },
            "histogram": [[least, times] for least, times in _lower_bounds(total)],
        }
    return described


def _histogram(window: Window, name: str) -> Histogram:
    return window.poll_from_send if name == "poll_from_send" else window.histograms[name]


def _lower_bounds(histogram: Histogram) -> list[tuple[int, int]]:
    return [(bounds_of(bucket)[0], times) for bucket, times in sorted(histogram.buckets.items())]


def _polls(total: Window) -> dict[str, Any]:
    polls = total.polls
    return {
        "count": polls,
        "empty": total.counts["empty_polls"],
        "empty_share": total.counts["empty_polls"] / polls if polls else None,
        "events": total.counts["events"],
        "bytes": total.counts["bytes"],
        "extra": total.counts["extra_polls"],
        "extra_bytes": total.counts["extra_bytes"],
    }


def _by_length(total: Window) -> list[dict[str, Any]]:
    """Poll latency by how many events the task had by then: where it grows, a poll costs what the log is long."""
    return [
        {
            "from_events": 0 if length == 0 else 1 << (length - 1),
            "to_events": (1 << length) - 1,
            "count": histogram.count,
            "p50": histogram.quantile(0.5) / 1e6,
            "p95": histogram.quantile(0.95) / 1e6,
        }
        for length, histogram in sorted(total.poll_by_length.items())
    ]


def _broken_rows(counted: Counter[str], metrics: Metrics) -> list[dict[str, Any]]:
    rows = load_catalogue().by_id
    described = []
    for requirement, count in counted.most_common():
        row = rows.get(requirement)
        described.append(
            {
                "requirement": requirement,
                "title": row.sentence if row else "",
                "breaks": dict(row.breaks) if row else {},
                "count": count,
                "evidence": [_evidence(violation) for violation in metrics.evidence.get(requirement, ())],
            }
        )
    return described


def _evidence(violation: ViolationRecord) -> dict[str, Any]:
    return {
        "sentence": violation.sentence,
        "at": violation.at,
        "user": violation.user,
        "exchanges": [_exchange(exchange) for exchange in violation.exchanges],
    }


def _exchange(exchange: Exchange) -> dict[str, Any]:
    return {
        "request": exchange.request,
        "sent_at": exchange.sent_at,
        "received_at": exchange.received_at,
        "status": exchange.status,
        "body": exchange.body,
    }
