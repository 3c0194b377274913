"""No message is sent beyond the bound, by any process; what was spent is told, and what is to be expected before."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sendpoll.core.target.target import Target
from sendpoll.core.target.traits import declared_traits
from sendpoll.load.bounded import BoundedController
from sendpoll.load.engine import Cohort, Order, View, Workload
from sendpoll.load.forecast import forecast
from sendpoll.load.measure.metrics import Metrics
from sendpoll.load.measure.spending import PriceError, Spending
from sendpoll.load.scenario.distribution import Fixed
from sendpoll.load.scenario.scenario_file import load_scenario
from sendpoll.load.users.allowance import Allowance, share_of
from tests.load.observe.runs import limited


def sendpoll(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sendpoll.cli.main", *arguments]
    return subprocess.run(command, check=False, timeout=180, capture_output=True, text=True)


@pytest.mark.parametrize(
    "more",
    [
        ["--processes", "2"],
        ["--scenario", "overlap"],
        ["--arrivals", "10/s", "--users", "30", "--slo", "errors <= 90%"],
    ],
)
def test_a_run_sends_what_it_may_and_ends(more: list[str], tmp_path: Path) -> None:
    with limited("sound") as server:
        load = ["load", server.url, "--token", "x", "--users", "7", "--duration", "60s", "--think", "100ms"]
        bound = ["--max-messages", "23", "--cost-per-message", "0.5", "--report-dir", str(tmp_path)]
        sendpoll(*load, *bound, *more)
    result: Any = json.loads((tmp_path / "result.json").read_text())
    assert (result["ledger"]["started"], result["ledger"]["dropped"]) == (23, 0)
    assert result["seconds"] < 45
    spent = result["spent"]
    assert (spent["messages"], spent["max_messages"], spent["cost"]) == (23, 23, 11.5)
    assert spent["sentence"].endswith("at 0.5 each: 11.50; 23 were allowed, and that ended it")


def test_a_plan_ends_with_its_last_message(tmp_path: Path) -> None:
    with limited("sound") as server:
        plan = ["plan", server.url, "--token", "x", "--quick", "--no-doctor", "--report-dir", str(tmp_path)]
        done = sendpoll(*plan, "--max-cost", "2", "--cost-per-message", "0.1")
    result = json.loads((tmp_path / "plan.json").read_text())
    assert done.returncode == 3
    assert result["end"] == "budget"
    assert result["because"] == "all messages that it was allowed were sent"
    assert (result["spent"]["messages"], result["spent"]["cost"]) == (20, 2.0)


def test_a_dry_run_sends_nothing_and_a_probe_one() -> None:
    nobody = sendpoll("load", "http://127.0.0.1:9", "--token", "x", "--dry-run", "--duration", "1min")
    assert nobody.returncode == 0
    assert nobody.stdout.startswith("It lasts 60.0 s")
    with limited("sound") as server:
        asked = sendpoll("plan", server.url, "--token", "x", "--dry-run", "--probe")
    assert "as one did just now" in asked.stdout
    away = sendpoll("load", "http://127.0.0.1:9", "--token", "x", "--dry-run", "--probe")
    assert away.returncode == 2
    assert "the probe did not reach the server" in away.stderr


def test_a_forecast_counts_rounds_and_knows_of_slots_and_bounds() -> None:
    shape = {"kind": "steady", "users": 10, "duration": "100s"}
    scenario = load_scenario("smoke", {"shape": shape, "think_time": Fixed(1.0).as_json()})
    target = Target(traits=declared_traits({"task_seconds": 4, "tasks_at_once": {"all": 2}, "beyond": "queued"}))
    free, full = Target(traits=declared_traits({"task_seconds": 4})), Spending()
    assert told(Workload(free, scenario), full)[1] == (
        "A task takes 4.00 s (as the target file declares): about 200 messages"
    )
    assert "about 50 messages" in told(Workload(target, scenario), full)[1]
    bounded = Spending(max_cost=3, cost_per_message=0.1)
    assert "about 30 messages, which cost 3" in told(Workload(free, scenario), bounded)[1]


def told(workload: Workload, spending: Spending) -> list[str]:
    return list(forecast(workload, spending).of_load())


def test_the_smaller_of_two_bounds_holds() -> None:
    assert Spending(max_messages=9, max_cost=1, cost_per_message=0.1).bound == 9
    assert Spending(max_messages=90, max_cost=1, cost_per_message=0.1).bound == 10
    assert Spending(cost_per_message=0.1).bound is None
    with pytest.raises(PriceError, match="--cost-per-message"):
        Spending(max_cost=1)
    with pytest.raises(PriceError, match="does not pay for one message"):
        Spending(max_cost=1, cost_per_message=2)


def test_the_upkeep_is_the_replica_and_its_messages() -> None:
    upkeep = Spending(replica_cost=100, cost_per_message=0.001).upkeep(20, 0.5)
    assert upkeep is not None
    assert upkeep["messages"] == pytest.approx(0.5 * 30.44 * 86400 * 0.001)
    assert upkeep["per_unit"] == pytest.approx(upkeep["total"] / 20)
    assert Spending(replica_cost=100).upkeep(None, None) is None
    assert "a month" in Spending(replica_cost=100).spent(1, 1.0, Spending(replica_cost=100).upkeep(4, 1.0))["sentence"]


def test_generators_share_the_bound_to_the_last_message() -> None:
    assert [share_of(11, index, 3) for index in range(4)] == [4, 4, 3, 0]
    assert share_of(None, 0, 3) is None
    allowance = Allowance(2)
    assert [allowance.take() for _ in range(3)] == [True, True, False]
    assert allowance.is_spent
    assert not Allowance(None).is_spent


class Always:
    def decide(self, _: View) -> Order | None:
        return Order(3)


def test_a_bounded_run_ends_once_all_were_sent() -> None:
    controller = BoundedController(Always(), 10)
    view = View(1.0, 3, (), {0: Cohort(4), 1: Cohort(5)}, {}, Metrics(), ())
    assert controller.decide(view) == Order(3)
    assert not controller.is_spent
    assert controller.decide(View(1.0, 3, (), {0: Cohort(5), 1: Cohort(5)}, {}, Metrics(), ())) is None
    assert controller.is_spent
