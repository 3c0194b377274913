from __future__ import annotations

import json
import random
import re
import time

import pytest

from sendpoll.load.doctor import stub
from tests.load.queue_stub import SERVICES, QueueScript


def state(script: QueueScript, task: str) -> tuple[str, int]:
    number = int(re.fullmatch(r"t(\d+)-\d+", task)[1])  # type: ignore[index]  # it would be the failure
    status, body = script.poll(number, 0)
    data = json.loads(body)["data"]
    assert status == 200
    assert len(data["events"]) == data["next_offset"]
    return data["status"], data["next_offset"]


def test_tasks_beyond_the_slots_wait_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    script = QueueScript(chunks=4, slots=1, service="fixed", mean=1.0)
    first, second = script.open_task(), script.open_task()
    now = 100.6
    assert state(script, first) == ("running", 2)
    assert state(script, second) == ("running", 0)
    now = 101.6
    assert state(script, first) == ("completed", 4)
    assert state(script, second) == ("running", 2)
    now = 102.1
    assert state(script, second) == ("completed", 4)


def test_an_offset_that_was_never_given_is_refused() -> None:
    script = QueueScript()
    assert script.poll(int(script.open_task()[1:].split("-")[0]), 99)[0] == 400


@pytest.mark.parametrize("service", SERVICES)
def test_service_times_have_the_mean_that_was_asked_for(service: str) -> None:
    rng = random.Random(7)
    draws = [SERVICES[service](rng, 2.0) for _ in range(60_000)]
    assert sum(draws) / len(draws) == pytest.approx(2.0, rel=0.05)


def test_it_serves_in_a_process_of_its_own() -> None:
    with stub("--slots", "2", "--mean", "0.1", module="tests.load.queue_stub") as url:
        assert url.startswith("http://127.0.0.1:")
