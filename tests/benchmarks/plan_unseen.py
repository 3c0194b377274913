"""How close plans come on servers that the planner was not tuned on: drawn at random, in virtual time.

A server has 1 to 64 slots, a service time of 0.2 to 4 s of any shape, and users that think for 1 to 6 s; the objective
is a p90, p95 or p99 that it meets up to somewhere between 60 % and 130 % of the load that fills its slots (with open
arrivals, 40 % to 95 %), and with half of the bad tasks that are allowed where it is idle: what an idle server hardly
meets, hardly any load ends. The truth is a bisection over simulations of 60,000 tasks each, so it does not depend on
the planner.

    python -m tests.benchmarks.plan_unseen [--servers 40] [--from SEED] [--quick] [--arrivals] [--budget SECONDS]
"""

from __future__ import annotations

import argparse
import math
import random
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from sendpoll.load.engine import Order
from sendpoll.load.plan.capacity import Capacity
from sendpoll.load.plan.settings import FULL, QUICK, Pace
from tests.load.plan.servers import planned
from tests.load.plan.virtual import Draw, Load, Server, exponential, fixed, lognormal, pareto, uniform

TRUTH_TASKS = 60_000
FEWEST, MOST = 2.0, 200.0


@dataclass(frozen=True)
class Unseen:
    """A server and its objective."""

    name: str
    server: Server
    percentile: int
    limit_s: float
    arrivals: bool

    @property
    def objective(self) -> str:
        return f"task p{self.percentile} <= {self.limit_s}s"


@dataclass(frozen=True)
class Row:
    """What the plan of one server came to."""

    name: str
    percentile: int
    truth: float
    found: Capacity
    is_close: bool
    covers: bool
    end: str
    seconds: float


def times(server: Server, level: float, *, arrivals: bool, tasks: int = TRUTH_TASKS, seed: int = 1) -> list[float]:
    """How long tasks take at a level, once the server has been held there for a while, shortest first."""
    load = Load(server, seed, deadline_s=1e6)
    load.hold(Order(0, arrivals=level) if arrivals else Order(round(level)))
    load.advance(300.0)
    load.started.clear()
    while len(load.started) < tasks:
        load.advance(load.now + 200.0)
    return sorted(record.elapsed_s for record in load.started)


def drawn(seed: int, *, arrivals: bool) -> Unseen:
    """The server of a seed. Limits lie between two polls, where nothing depends on rounding."""
    rng = random.Random(seed)
    while True:
        slots = round(math.exp(rng.uniform(0, math.log(64))))
        mean = math.exp(rng.uniform(math.log(0.2), math.log(4)))
        shapes: dict[str, Draw] = {
            "fixed": fixed(mean),
            "uniform": uniform(0.5 * mean, 1.5 * mean),
            "exponential": exponential(mean),
            "lognormal": lognormal(mean, rng.uniform(0.4, 1.5)),
            "pareto": pareto(mean, rng.uniform(2.1, 3.5)),
        }
        shape = rng.choice(sorted(shapes))
        thinks: dict[str, Draw] = {
            "fixed": fixed(think := rng.uniform(1, 6)),
            "exponential": exponential(think),
            "uniform": uniform(0.5 * think, 1.5 * think),
        }
        thinking = rng.choice(sorted(thinks))
        percentile = rng.choice([90, 95, 95, 99])
        full = slots / mean if arrivals else slots * (mean + think) / mean
        level = full * (rng.uniform(0.4, 0.95) if arrivals else rng.uniform(0.6, 1.3))
        if not arrivals and not FEWEST <= level <= MOST:
            continue
        server = Server(slots, shapes[shape], fixed(0.0) if arrivals else thinks[thinking])
        took = times(server, level, arrivals=arrivals, tasks=20_000)
        limit = took[int(len(took) * percentile / 100)] + 0.25
        idle = times(server, 0.05 * full if arrivals else 1, arrivals=arrivals, tasks=5_000)
        if idle[int(len(idle) * (50 + percentile / 2) / 100)] > limit:
            continue
        name = f"{slots} slots, {shape} {mean:.2f} s" + ("" if arrivals else f", thinks {thinking} {think:.1f} s")
        return Unseen(name, server, percentile, round(limit, 2), arrivals)


def truth(subject: Unseen) -> float:
    """The highest level at which the share within the limit is still met: by 1 % for rates, by straight line else."""

    def over(level: float) -> float:
        took = times(subject.server, level, arrivals=subject.arrivals)
        return sum(one <= subject.limit_s for one in took) / len(took) - subject.percentile / 100

    low, high = (0.01, 2 * subject.server.slots / 0.05) if subject.arrivals else (1.0, 1024.0)
    while high / low > 1.005 if subject.arrivals else high - low > 1:
        middle = math.sqrt(low * high) if subject.arrivals else float((low + high) // 2)
        low, high = (middle, high) if over(middle) >= 0 else (low, middle)
    if subject.arrivals:
        return math.sqrt(low * high)
    good, bad = over(low), over(high)
    return low + good / (good - bad) if good > bad else low


def row(seed: int, *, arrivals: bool, pace: Pace, budget_s: float) -> Row:
    """Draw a server, plan it, and compare."""
    subject = drawn(seed, arrivals=arrivals)
    plan = planned(subject.server, [subject.objective], seed, pace, arrivals=arrivals, budget_s=budget_s)
    known = truth(subject)
    return Row(
        f"{subject.objective}, {subject.name}",
        subject.percentile,
        known,
        plan.answer.capacity,
        plan.is_close_to(known),
        plan.covers(known),
        str(plan.conclusion.end),
        plan.seconds,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", type=int, default=40)
    parser.add_argument("--from", type=int, default=1, dest="first", metavar="SEED")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--arrivals", action="store_true")
    parser.add_argument("--budget", type=float, metavar="SECONDS", help="720, or 240 with --quick")
    asked = parser.parse_args()
    pace, budget = (QUICK, asked.budget or 240.0) if asked.quick else (FULL, asked.budget or 720.0)
    with ProcessPoolExecutor() as pool:
        seeds = range(asked.first, asked.first + asked.servers)
        running = [pool.submit(row, seed, arrivals=asked.arrivals, pace=pace, budget_s=budget) for seed in seeds]
        rows = []
        for seed, future in zip(seeds, running, strict=True):
            one = future.result()
            rows.append(one)
            marks = ("close" if one.is_close else "-----") + (" covers" if one.covers else " ------")
            print(
                f"{seed:4} {one.truth:7.2f} {one.found.level or 0:7.2f} ({one.found.low:.2f} to "
                f"{one.found.high or math.inf:.2f}) {marks} {one.end:10} {one.seconds:4.0f} s  {one.name}",
                flush=True,
            )
    told(rows)


def told(rows: list[Row]) -> None:
    """The counts, by percentile and by how the plans ended."""
    print(f"within 10 %: {sum(one.is_close for one in rows)} of {len(rows)}")
    print(f"covered:     {sum(one.covers for one in rows)} of {len(rows)}")
    for kind, of in (("percentile", lambda one: f"p{one.percentile}"), ("end", lambda one: one.end)):
        close, every = Counter(of(one) for one in rows if one.is_close), Counter(map(of, rows))
        print(f"by {kind}: " + ", ".join(f"{name} {close[name]}/{every[name]}" for name in sorted(every)))


if __name__ == "__main__":
    main()
