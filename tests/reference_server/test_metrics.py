from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from sendpoll.reference_server.histogram import BOUNDS, Histogram
from tests.reference_server.conftest import OTHER_TOKEN, TOKEN, Api, ApiMaker
from tests.reference_server.test_bounded_protocol import exchange

Values = dict[tuple[str, tuple[str, ...]], float]


def metrics(api: Api) -> Values:
    """Every sample, by its name and the values of its labels, as somebody without a token sees it."""
    answer = httpx.get(f"{api.url}/metrics").raise_for_status()
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in parse_text(answer.text)
        for sample in family.samples
    }


def one(values: Values, name: str, *labels: str) -> float:
    return values[f"sendpoll_{name}", labels]


def when(api: Api, name: str, value: float) -> Values:
    """The metrics as soon as one of them has that value."""
    for _ in range(1000):
        values = metrics(api)
        if one(values, name) == value:
            return values
        time.sleep(0.01)
    raise AssertionError(f"{name} is {one(metrics(api), name)}, never {value}")


def test_it_counts_what_runs_and_what_waits(make_api: ApiMaker) -> None:
    api = make_api(slots=2, chunks=10_000, chunk_interval=1.0)
    assert one(metrics(api), "tasks_running") == one(metrics(api), "tasks_waiting") == 0
    conversation = api.conversation()
    for same in (True, True, False, False):
        api.send(conversation if same else api.conversation())
    values = when(api, "tasks_running", 2)
    assert one(values, "tasks_waiting") == 2
    assert one(values, "slots") == 2
    assert one(values, "tasks_finished_total", "completed") == 0


def test_it_counts_what_has_ended_and_its_events(make_api: ApiMaker) -> None:
    api = make_api()
    events = sum(api.finished()["next_offset"] for _ in range(3))
    failing = make_api(agent="openai", openai_base_url="http://127.0.0.1:9/v1", openai_model="m")
    failing.finished()
    values = when(api, "events_total", events)
    assert one(values, "tasks_finished_total", "completed") == 3
    assert one(values, "tasks_finished_total", "failed") == 0
    assert one(values, "tasks_running") == one(values, "tasks_waiting") == 0
    assert one(when(failing, "events_total", 1), "tasks_finished_total", "failed") == 1


def test_it_counts_the_events_of_a_task_that_runs(make_api: ApiMaker) -> None:
    api = make_api(chunks=10, chunk_interval=1000.0)
    task = api.send(api.conversation())
    while api.poll(task)["next_offset"] < 3:
        pass
    assert one(when(api, "events_total", 3), "tasks_running") == 1
    assert api.poll(task)["next_offset"] == 3


def test_it_times_polls_and_commits(make_api: ApiMaker) -> None:
    api = make_api(chunks=9000)
    before = metrics(api)
    task = api.send(api.conversation())
    api.wait(task)
    polls = one(metrics(api), "poll_seconds_count")
    for _ in range(5):
        api.poll(task)
    values = metrics(api)
    assert one(values, "poll_seconds_count") == polls + 5
    assert one(values, "poll_seconds_bucket", "+Inf") == polls + 5
    assert 0 < one(values, "poll_seconds_sum") < 60
    assert one(values, "commit_seconds_count") >= one(before, "commit_seconds_count") + 3
    assert one(values, "database_bytes") > one(before, "database_bytes") > 0
    assert one(values, "writes_waiting") == 0


def test_it_counts_refusals_by_their_code(make_api: ApiMaker) -> None:
    api = make_api(one_task_per="token", chunk_interval=1000.0)
    conversation = api.conversation()
    api.send(conversation)
    body = {"conversation_id": conversation, "message": "again"}
    api.client.post("/api/v1/workspaces/ws1/messages", json=body)
    for path in ("/nowhere", "/api/v1/tasks/t", "/api/v1/tasks/t"):
        api.client.get(path)
    httpx.get(f"{api.url}/api/v1/tasks/t")
    exchange(api, "nonsense\r\n\r\n")
    exchange(api, "GET / HTTP/1.1\r\n\r\n")
    exchange(api, "GET / HTTP/1.1\r\nHost: x\r\n" + "A: b\r\n" * 300 + "\r\n")
    refused = {labels[0]: value for (name, labels), value in metrics(api).items() if name == "sendpoll_refusals_total"}
    assert refused == {
        "task_running": 1, "not_found": 1, "task_not_found": 2, "unauthorized": 1, "malformed_request": 2,
        "head_too_large": 1,
    }  # fmt: skip


def secrets_of(api: Api) -> Iterator[str]:
    conversation = api.conversation("a-workspace")
    yield from ("a-workspace", "ws1", conversation, TOKEN, OTHER_TOKEN)
    task = api.send(api.conversation(), "a-message")
    api.wait(task)
    yield from (task, "a-message", hashlib.sha256(TOKEN.encode()).hexdigest())


def test_it_tells_no_id_no_name_and_no_text(make_api: ApiMaker) -> None:
    api = make_api()
    secrets = list(secrets_of(api))
    api.client.get("/api/v1/tasks/a-path?from=a-query", headers={"user-agent": "an-agent"})
    page = httpx.get(f"{api.url}/metrics").text
    assert [secret for secret in (*secrets, "a-path", "a-query", "an-agent") if secret in page] == []


def test_it_speaks_openmetrics_to_who_asks_for_it(make_api: ApiMaker) -> None:
    accept = {"accept": "application/openmetrics-text; version=1.0.0"}
    answer = httpx.get(f"{make_api().url}/metrics", headers=accept)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert "sendpoll_poll_seconds" in {family.name for family in parse_openmetrics(answer.text)}  # type: ignore[no-untyped-call]  # prometheus-client has no types here


def test_two_servers_in_one_process_count_apart(make_api: ApiMaker) -> None:
    first, second = make_api(), make_api()
    first.finished()
    assert one(when(first, "tasks_waiting", 0), "poll_seconds_count") > 0
    assert one(metrics(second), "poll_seconds_count") == 0


@pytest.mark.parametrize(("seconds", "bound"), [(0.0, 0), (1e-5, 0), (1.1e-5, 1), (4.9, 17), (5.1, 18), (1e9, 18)])
def test_a_time_is_counted_by_the_first_bound_that_it_does_not_exceed(seconds: float, bound: int) -> None:
    histogram = Histogram()
    histogram.observe(seconds)
    assert histogram.counts.index(1) == bound
    assert sum(histogram.counts) == 1
    assert histogram.total == seconds
    assert list(BOUNDS) == sorted(BOUNDS)
