"""What `load` says of servers that break, against the truth: simulated runs, through the same metrics and gates.

    python -m tests.benchmarks.broken_servers --runs 200

Ten users ask one task after another for a minute. A server is up or down at each moment and may be out of luck with
each task besides; "in waves" lets it fail a third of the tasks for some seconds and hardly any for some others, so that
its samples hang together. The truth is what it would show in an endless run: the share of tasks that fail, which for a
server that is dead at the end is all of them.
"""

from __future__ import annotations

import argparse
import heapq
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from sendpoll.load.measure.metrics import Metrics
from sendpoll.load.measure.objective_rule import Decision
from sendpoll.load.measure.records import Outcome, TaskRecord
from sendpoll.load.measure.slo import ServiceLevel
from sendpoll.load.results.gates import gates_of

SECONDS: Final = 60.0
USERS: Final = 10
THINK_S: Final = 1.0
TASK_S: Final = 2.0


@dataclass(frozen=True)
class BrokenServer:
    """A server, an objective, and whether it meets it in the long run."""

    name: str
    objective: str
    meets: bool | None
    """None: it lies on the objective, where any verdict but a certain one is right."""
    chance: Callable[[float, float], float]
    """The chance that a task fails, from the moment of its send and the server's own phase (0 to 1)."""
    hangs_s: float = 0.0
    """How long a failing task takes: 0 where it is refused at once."""


def _dead_from(start: float) -> Callable[[float, float], float]:
    return lambda at, _: float(at >= start * SECONDS)


def _between(start: float, end: float) -> Callable[[float, float], float]:
    return lambda at, _: float(start * SECONDS <= at < end * SECONDS)


def _flapping(share: float, period: float) -> Callable[[float, float], float]:
    return lambda at, phase: float((at / period + phase) % 1 < share)


def _failing(share: float) -> Callable[[float, float], float]:
    return lambda _at, _phase: share


def _in_waves(share: float, period: float) -> Callable[[float, float], float]:
    """Three times the share in a quarter of the time, a third of it in the rest."""
    return lambda at, phase: 3 * share if (at / period + phase) % 1 < 0.25 else share / 3


SERVERS: Final = (
    BrokenServer("dead from the start", "errors <= 20%", meets=False, chance=_dead_from(0)),
    BrokenServer("dead for half, at once", "errors <= 20%", meets=False, chance=_dead_from(0.5)),
    BrokenServer("dead for half, hanging", "errors <= 20%", meets=False, chance=_dead_from(0.5), hangs_s=10),
    BrokenServer("dead for the first half", "errors <= 20%", meets=False, chance=_between(0, 0.5)),
    BrokenServer("dead for a middle third", "errors <= 20%", meets=False, chance=_between(0.3, 0.65)),
    BrokenServer("dead for the last tenth", "errors <= 20%", meets=False, chance=_dead_from(0.9)),
    BrokenServer("dead for the last tenth", "errors <= 1%", meets=False, chance=_dead_from(0.9)),
    BrokenServer("dead for the last tenth", "task p50 <= 30s", meets=False, chance=_dead_from(0.9), hangs_s=10),
    BrokenServer("flapping, out for 30 %", "errors <= 5%", meets=False, chance=_flapping(0.3, 10)),
    BrokenServer("flapping, out for 50 %", "errors <= 20%", meets=False, chance=_flapping(0.5, 15)),
    BrokenServer("flapping, out for 1 %", "errors <= 5%", meets=True, chance=_flapping(0.01, 300)),
    BrokenServer("flapping, out for 3 %", "errors <= 20%", meets=True, chance=_flapping(0.03, 30)),
    BrokenServer("one task in ten fails", "errors <= 1%", meets=False, chance=_failing(0.1)),
    BrokenServer("one task in ten fails", "errors <= 20%", meets=True, chance=_failing(0.1)),
    BrokenServer("one in ten, in waves", "errors <= 1%", meets=False, chance=_in_waves(0.1, 20)),
    BrokenServer("one in ten, in waves", "errors <= 20%", meets=True, chance=_in_waves(0.1, 20)),
    BrokenServer("one in a hundred", "errors <= 1%", meets=None, chance=_failing(0.01)),
    BrokenServer("one in a hundred, in waves", "errors <= 1%", meets=None, chance=_in_waves(0.01, 20)),
    BrokenServer("sound", "errors <= 1%", meets=True, chance=_failing(0.0)),
)


def decision_of(server: BrokenServer, seed: int) -> Decision:
    """What the gate says of one simulated run."""
    metrics = Metrics(ServiceLevel.parse([server.objective]))
    second = 0
    for record in sorted(_records(server, random.Random(seed)), key=lambda record: record.ended_at):
        while record.ended_at >= second + 1:
            second += 1
            metrics.tick(second, USERS)
        metrics.started()
        metrics.task(record)
    metrics.tick(second + 1, USERS)
    return gates_of(metrics)[0].verdict


def _records(server: BrokenServer, source: random.Random) -> Iterable[TaskRecord]:
    phase = source.random()
    free = [(source.uniform(0, THINK_S + TASK_S), user) for user in range(USERS)]
    heapq.heapify(free)
    while free:
        at, user = heapq.heappop(free)
        if at >= SECONDS:
            continue
        fails = source.random() < server.chance(at, phase)
        took = server.hangs_s if fails else source.lognormvariate(0.0, 0.3) * TASK_S
        yield _record(user, at, took, fails)
        heapq.heappush(free, (at + took + max(0.5, source.expovariate(1 / THINK_S)), user))


def _record(user: int, at: float, took: float, fails: bool) -> TaskRecord:
    return TaskRecord(
        user=user,
        scheduled_at=at,
        sent_at=at,
        ended_at=at + took,
        outcome=Outcome.FAILED if fails else Outcome.FINISHED,
        error="status 500" if fails else "",
    )


def verdicts(server: BrokenServer, runs: int) -> Counter[Decision]:
    """How often each verdict was given."""
    return Counter(decision_of(server, seed) for seed in range(runs))


def is_wrong(server: BrokenServer, found: Decision) -> bool:
    """Whether a verdict contradicts the truth."""
    return server.meets is not None and found is (Decision.FAIL if server.meets else Decision.PASS)


def main() -> None:
    """Print the table; exit 1 where a server that breaks passes, or one that keeps its objective fails too often."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    runs = parser.parse_args().runs
    sys.stdout.write(f"{'server':<28}{'objective':<18}{'truth':<7}{'pass':>6}{'open':>6}{'fail':>6}\n")
    failed = False
    for server in SERVERS:
        counts = verdicts(server, runs)
        truth = "on it" if server.meets is None else "meets" if server.meets else "fails"
        numbers = "".join(f"{counts[one]:>6}" for one in (Decision.PASS, Decision.INCONCLUSIVE, Decision.FAIL))
        wrong = sum(count for one, count in counts.items() if is_wrong(server, one))
        failed |= wrong > (0.05 * runs if server.meets else 0)
        sys.stdout.write(f"{server.name:<28}{server.objective:<18}{truth:<7}{numbers}{'  wrong' if wrong else ''}\n")
    sys.exit(failed)


if __name__ == "__main__":
    main()
