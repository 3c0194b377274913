"""Locust's statistics come to the same numbers whether it was told one by one or a second at a time."""

from __future__ import annotations

import random

import pytest

from sendpoll.load.measure.records import Outcome, TaskRecord
from sendpoll.load.users.caller import MESSAGE, POLL
from tests.load.patchless import imported

module = imported("on_locust.locust_stats")


def numbers(entry: object) -> dict[str, object]:
    names = (
        "num_requests", "num_failures", "min_response_time", "max_response_time", "total_content_length",
        "response_times",
    )  # fmt: skip
    told = {name: getattr(entry, name) for name in names}
    return {**told, "response_times": {bucket: count for bucket, count in told["response_times"].items() if count}}


def test_batches_come_to_the_same_numbers() -> None:
    batched, single = imported("on_locust.user").Environment(), imported("on_locust.user").Environment()
    statistics = module.LocustStatistics(batched)
    source = random.Random(1)
    for round_ in range(5):
        for _ in range(200):
            call, took = source.choice([POLL, MESSAGE]), source.lognormvariate(1, 2)
            statistics.log(call, took, 100, None)
            single.stats.log_request(call.method, call.path, took, 100)
        if round_ % 2:
            statistics.flush()
    statistics.flush()
    for call in (POLL, MESSAGE):
        key = (call.path, call.method)
        assert numbers(batched.stats.entries[key]) == numbers(single.stats.entries[key])
        times = [environment.stats.entries[key].total_response_time for environment in (batched, single)]
        assert times[0] == pytest.approx(times[1])
    assert numbers(batched.stats.total) == numbers(single.stats.total)


def test_whoever_else_listens_hears_of_each_request() -> None:
    environment = imported("on_locust.user").Environment()
    heard: list[float] = []
    for _ in range(2):
        environment.events.request.add_listener(lambda response_time, **_: heard.append(response_time))
    module.LocustStatistics(environment).log(POLL, 5.0, 100, None)
    assert heard == [5.0, 5.0]


def test_tasks_have_rows_that_the_total_leaves_out() -> None:
    environment = imported("on_locust.user").Environment()
    record = TaskRecord(user=1, scheduled_at=0, sent_at=0, ended_at=2.0, ttfe_s=0.5, outcome=Outcome.FINISHED, bytes=10)
    module.LocustStatistics(environment).log_task(record)
    rows = {key: numbers(entry) for key, entry in environment.stats.entries.items()}
    assert rows["first event", "TASK"]["max_response_time"] == 500
    assert rows["task", "TASK"]["max_response_time"] == 2000
    assert environment.stats.total.num_requests == 0
