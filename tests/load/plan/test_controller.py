from __future__ import annotations

from collections.abc import Generator, Sequence

import pytest

from sendpoll.load.engine import Order
from sendpoll.load.measure.health import Health
from sendpoll.load.measure.slo import ServiceLevel
from sendpoll.load.plan.controller import PlanController
from sendpoll.load.plan.fixed_levels import HeldSteps
from sendpoll.load.plan.outcome import Conclusion, End
from sendpoll.load.plan.settings import Settings
from sendpoll.load.plan.steps import Hold, Purpose, Step
from sendpoll.load.plan.tallies import Observations
from tests.load.plan.virtual import Load, Server, exponential, fixed, run_virtually

SERVICE = ServiceLevel.parse(["task p95 <= 4.25s"])
SERVER = Server(10, fixed(2.0), exponential(4.0))


def held(holds: Sequence[Hold], server: Server = SERVER, health: Health | None = None) -> tuple[list[Step], Load]:
    steps: list[Step] = []

    def search() -> Generator[Hold, Step, Conclusion]:
        for hold in holds:
            step = yield hold
            steps.append(step)
        return Conclusion(End.CONVERGED, "", ())

    controller = PlanController(search(), Observations(SERVICE), task_deadline_s=60)
    load = Load(server, seed=1, deadline_s=60)
    run_virtually(controller, load, health=(lambda _: health) if health else None)
    assert controller.conclusion is not None
    return steps, load


def hold(level: float, purpose: Purpose = Purpose.REFINE, **changes: float) -> Hold:
    told = {"seconds": 30.0, "tasks": 1, "limit_s": 60.0, "settle_s": 10.0, "settle_limit_s": 30.0} | changes
    return Hold(
        level, purpose, told["seconds"], int(told["tasks"]), told["limit_s"], told["settle_s"], told["settle_limit_s"]
    )


def test_a_cohort_is_every_task_that_started_while_it_was_open_and_no_other() -> None:
    (step,), load = held([hold(20)])
    expected = [one for one in load.started if step.settled_at <= one.scheduled_at < step.closed_at]
    assert step.started == len(expected)
    assert {one.scheduled_at for one in step.records} == {one.scheduled_at for one in expected}


def test_load_stays_on_until_the_cohort_has_ended() -> None:
    (step,), load = held([hold(20)])
    assert step.ended_at >= max(one.ended_at for one in step.records)
    assert any(one.scheduled_at > step.closed_at for one in load.started)


def test_a_hold_goes_on_until_it_has_its_tasks_or_its_limit() -> None:
    (longer,), _ = held([hold(20, tasks=130)])
    (limited,), _ = held([hold(20, tasks=10_000)])
    assert longer.started >= 130
    assert 30 < longer.seconds < 60
    assert limited.seconds == pytest.approx(60, abs=1)


def test_a_step_far_beyond_capacity_is_cut_short() -> None:
    (step,), _ = held([hold(200, seconds=300, limit_s=300)])
    assert step.seconds < 120
    assert step.unfinished > 0


def test_settling_waits_while_tasks_in_progress_still_grow() -> None:
    steady, _ = held([hold(20, settle_s=5)])
    growing, _ = held([hold(120, settle_s=5, settle_limit_s=60)])
    assert steady[0].steady
    assert growing[0].settled_at > steady[0].settled_at


def test_recovery_is_measured_from_the_order_to_the_first_good_window() -> None:
    steps, _ = held([hold(150), hold(10, Purpose.RECOVERY, settle_s=5, settle_limit_s=120)])
    assert steps[1].recovery_s is not None
    assert 0 < steps[1].recovery_s < steps[1].settled_at - steps[0].ended_at


def test_recovery_gives_up_at_its_limit() -> None:
    slow = Server(10, fixed(2.0), exponential(4.0), overload=30, overload_s=1000, overload_factor=5)
    steps, _ = held([hold(150), hold(10, Purpose.RECOVERY, settle_s=5, settle_limit_s=60)], slow)
    assert steps[1].recovery_s is None


def test_what_is_wrong_with_the_generator_goes_into_the_step() -> None:
    late = Health()
    for _ in range(1000):
        late.lag.record(1_000_000)
    (step,), _ = held([hold(20)], health=late)
    assert any("event loop was late" in problem for problem in step.late)
    assert step.lateness_s == pytest.approx(1.0, rel=0.05)


def test_a_limit_of_this_machine_makes_a_step_unsound_whatever_its_tasks_did() -> None:
    refused = Health()
    refused.exhausted["open files: 1,024; use fewer users"] = 7
    (step,), _ = held([hold(20)], health=refused)
    assert step.problems == ("the generator ran out of open files: 1,024; use fewer users (7 calls failed)",)


def test_a_step_is_cut_when_the_time_is_up() -> None:
    (step,), load = held([Hold(20, Purpose.REFINE, 100, 1, 100, 5, 10, end_by=40, tail_s=3)])
    assert load.now <= 45
    assert step.closed_at <= 38


def test_open_arrivals_are_ordered_as_a_rate_with_users_enough_to_take_them() -> None:
    orders: list[Order] = []

    def search() -> Generator[Hold, Step, Conclusion]:
        yield hold(3.0)
        return Conclusion(End.CONVERGED, "", ())

    controller = PlanController(search(), Observations(SERVICE, arrivals=True), task_deadline_s=60, arrivals=True)
    load = Load(SERVER, seed=1, deadline_s=60)

    def note(order: Order) -> Health:
        orders.append(order)
        return Health()

    run_virtually(controller, load, health=note)
    assert {order.arrivals for order in orders} == {3.0}
    assert min(order.users for order in orders) >= 180


@pytest.mark.parametrize(("slo", "settles"), [("task p95 <= 2s", False), ("ttfe p95 <= 2s", True)])
def test_a_queue_of_late_tasks_is_not_waited_for_to_settle(slo: str, settles: bool) -> None:
    """Twice what the server takes: by Little's law tasks are late once there are more than the rate times the limit.

    Of first events tasks in progress say nothing.
    """
    steps: list[Step] = []

    def search() -> Generator[Hold, Step, Conclusion]:
        steps.append((yield Hold(20.0, Purpose.REFINE, 10, 10, 10, 60, 90)))
        return Conclusion(End.CONVERGED, "", ())

    book = Observations(ServiceLevel.parse([slo]), arrivals=True)
    controller = PlanController(search(), book, task_deadline_s=60, arrivals=True)
    run_virtually(controller, Load(Server(10, fixed(1.0), fixed(0.0)), seed=1, deadline_s=60))
    assert (steps[0].settled_at >= 60) is settles
    assert steps[0].settled_at > 1


def test_holding_besides_the_search_adds_nothing_to_its_book() -> None:
    settings = Settings(SERVICE, task_deadline_s=60)
    book = Observations(SERVICE)
    besides = HeldSteps([hold(20, Purpose.POLLS), hold(30, Purpose.POLLS)], book, settings)
    run_virtually(besides.controller, Load(SERVER, seed=1, deadline_s=60))
    assert [step.level for step in besides.steps] == [20, 30]
    assert book.steps == []
