from __future__ import annotations

from sendpoll.load.export.live_numbers import BOUNDS_S, LiveFamily, LiveNumber, LiveTimes, numbers_of
from sendpoll.load.measure.metrics import Metrics
from tests.load.made_up import Run, metrics_of


def by_name(metrics: Metrics) -> dict[str, LiveFamily]:
    return {family.name.removeprefix("sendpoll_load_"): family for family in numbers_of(metrics, {}, 3, 1)}


def test_numbers_are_those_of_the_result() -> None:
    metrics = metrics_of(Run(failing=0.1))
    found = by_name(metrics)
    tasks, errors = found["tasks"], found["errors"]
    assert isinstance(tasks, LiveNumber)
    assert isinstance(errors, LiveNumber)
    assert tasks.values["good"] == metrics.ledger.good
    assert tasks.values["failed"] == metrics.ledger.failed > 0
    assert sum(tasks.values.values()) == metrics.ledger.started
    assert errors.values == {"GET task: 503": float(metrics.errors.total())}


def test_a_histogram_counts_each_value_once_below_its_bound() -> None:
    metrics = Metrics()
    for seconds in (0.001, 0.004, 0.03, 3.0, 1000.0):
        metrics.submit(seconds)
    metrics.tick(1, 0)
    times = by_name(metrics)["submit_seconds"]
    assert isinstance(times, LiveTimes)
    below = dict(zip(BOUNDS_S, times.cumulated, strict=False))
    assert (below[0.005], below[0.025], below[0.05], below[5], times.cumulated[-1]) == (2, 2, 3, 4, 5)
    assert abs(times.total - 1003.035) < 5
