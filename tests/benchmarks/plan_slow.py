"""How close plans of slow agents come, on servers drawn at random: `python -m tests.benchmarks.plan_slow`.

Tasks of 10 to 180 s, fixed to heavy-tailed, on 1 to 32 slots that queue, share, slow each other down or refuse, in
virtual time. Prints each, then how many answers were within 10 % or one user of the truth, how many intervals cover
it, and how many of those that said they had converged were wrong.
"""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from sendpoll.load.measure.slo import ServiceLevel
from sendpoll.load.plan.answer import tier_answer
from sendpoll.load.plan.capacity import Capacity
from sendpoll.load.plan.controller import PlanController
from sendpoll.load.plan.model_search import ModelSearch
from sendpoll.load.plan.outcome import End
from sendpoll.load.plan.queueing.capacity_forecast import forecast
from sendpoll.load.plan.queueing.predict import Users
from sendpoll.load.plan.search import Search
from sendpoll.load.plan.settings import FULL, QUICK, Settings
from sendpoll.load.plan.tallies import Observations
from tests.load.plan.virtual import Draw, exponential, fixed, lognormal, pareto, uniform
from tests.load.plan.virtual_sharing import SharingLoad, SharingServer, attained, run_sharing, shared, slowing

SHARE = 0.95
_TRUTH_TASKS = 12_000


@dataclass(frozen=True)
class Drawn:
    """One server, and what it holds."""

    name: str
    server: SharingServer
    limit_s: float

    def truth(self) -> int:
        """The most users with whom the share is reached."""
        return most_users(lambda users: attained(self.server, users, self.limit_s, _TRUTH_TASKS))


def drawn(seed: int) -> Drawn:
    """The server of a seed."""
    rng = random.Random(seed)
    mean = math.exp(rng.uniform(math.log(10), math.log(180)))
    services: dict[str, Draw] = {
        "fixed": fixed(mean),
        "uniform": uniform(0.5 * mean, 1.5 * mean),
        "lognormal": lognormal(mean, rng.uniform(0.3, 1.0)),
        "exponential": exponential(mean),
        "heavy": pareto(mean, 2.2),
    }
    name = rng.choice(list(services))
    think = rng.choice([1.0, 5.0, 20.0, 60.0])
    slots = round(math.exp(rng.uniform(0, math.log(32))))
    kind = rng.choice(["queue", "queue", "sharing", "slowing", "refusing"])
    server = SharingServer(services[name], exponential(think))
    if kind == "sharing":
        server.speed = shared(float(slots))
    else:
        server.slots = slots
    if kind == "slowing":
        server.speed = slowing(rng.uniform(0.02, 0.3))
    if kind == "refusing":
        server.room = slots + rng.choice([0, 2, slots])
    tail = {"fixed": 1.0, "uniform": 1.5, "lognormal": 2.5, "exponential": 3.0, "heavy": 2.5}[name]
    limit = mean * tail * rng.uniform(1.3, 2.5)
    if kind == "slowing":
        limit *= 1.5
    told = f"{kind:9} {slots:2} slots, {name:11} {mean:5.0f} s, think {think:2.0f} s, limit {limit:4.0f} s"
    return Drawn(told, server, limit)


def most_users(share: Callable[[int], float]) -> int:
    """The most users with whom the share is reached."""
    low, high = 0, 1
    while share(high) >= SHARE and high < 1000:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if share(middle) >= SHARE else (low, middle)
    return low


@dataclass(frozen=True)
class Result:
    capacity: Capacity
    end: End
    decided: str
    seconds: float


def plan(server: SharingServer, limit_s: float, seed: int, *, quick: bool, ladder_alone: bool = False) -> Result:
    """One plan."""
    budget = 220.0 if quick else 700.0
    settings = Settings(
        ServiceLevel.parse([f"task p95 <= {limit_s:.3f}s"]),
        pace=QUICK if quick else FULL,
        budget_s=budget,
        task_deadline_s=600,
    )
    observations = Observations(settings.service)
    ladder = Search(settings, observations)
    source = random.Random(seed)

    users = Users(tuple(server.think(source) for _ in range(2000)), server.poll_interval)
    model = ModelSearch(settings, ladder, lambda: controller.log, users, forecast)
    search = ladder.run() if ladder_alone else model.run()
    controller = PlanController(search, observations, task_deadline_s=settings.task_deadline_s)
    seconds = run_sharing(controller, SharingLoad(server, seed, deadline_s=600))
    assert controller.conclusion is not None
    answer = tier_answer(observations, "", settings)
    decided = "ladder" if ladder_alone or model.thrown_out or model.forecast is None else "model"
    return Result(answer.capacity, controller.conclusion.end, decided, seconds)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.plan_slow", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--ladder", action="store_true", help="without the model")
    options = parser.parse_args()
    close = covered = wrong = sure = model = 0
    for seed in range(options.first, options.first + options.seeds):
        one = drawn(seed)
        truth = one.truth()
        told = plan(one.server, one.limit_s, seed, quick=options.quick, ladder_alone=options.ladder)
        level, high = told.capacity.level, told.capacity.high
        is_close = level is not None and abs(math.floor(level) - truth) <= max(1, 0.1 * truth)
        covers = told.capacity.low < truth + 1 and (high is None or high >= truth)
        close, covered = close + is_close, covered + covers
        sure += told.end is End.CONVERGED
        model += told.decided == "model"
        wrong += told.end is End.CONVERGED and not is_close
        span = f"{told.capacity.low:.1f} to {'more' if high is None else f'{high:.1f}'}"
        answer = f"{'none' if level is None else f'{level:.1f}'} ({span})"
        marks = f"{'' if is_close else 'FAR '}{'' if covers else 'MISSED'}"
        print(f"{seed:5} {one.name}: {truth:4} {answer:26} {told.decided:6} {told.end:12} {marks}", flush=True)
    print(f"{close} of {options.seeds} close, {covered} covered, {model} by the model")
    print(f"{sure} converged, of them wrong {wrong}")


if __name__ == "__main__":
    main()
