from __future__ import annotations

import httpx
import pytest

from sendpoll.reference_server.errors import PaceError
from sendpoll.reference_server.pace import Pace
from tests.reference_server.conftest import OTHER_TOKEN, POSTS, ApiMaker, ManualClock, refusal


def taken(pace: Pace, times: int, caller: bytes | None = b"a") -> int:
    """How many of so many requests at once are taken."""
    count = 0
    for _ in range(times):
        try:
            pace.admit(caller)
        except PaceError:
            continue
        count += 1
    return count


@pytest.mark.parametrize(("rate", "at_once"), [(0.5, 1), (1, 1), (3, 3), (20, 20)])
def test_a_second_is_taken_at_once_and_then_the_rate(rate: float, at_once: int) -> None:
    clock = ManualClock()
    pace = Pace(rate, clock)
    assert taken(pace, 100) == at_once
    passed = 0
    for _ in range(1000):
        clock.forward(0.1)
        passed += taken(pace, 10)
    assert passed == pytest.approx(rate * 100, abs=1)


def test_whoever_waits_as_long_as_it_is_told_is_taken() -> None:
    clock = ManualClock()
    pace = Pace(0.3, clock)
    pace.admit(b"a")
    with pytest.raises(PaceError) as refused:
        pace.admit(b"a")
    assert refused.value.retry_after == 4
    clock.forward(refused.value.retry_after)
    pace.admit(b"a")


def test_each_caller_has_a_pace_of_its_own_and_the_unknown_share_one() -> None:
    pace = Pace(2, ManualClock())
    assert [taken(pace, 5, caller) for caller in (b"a", b"b", None, None)] == [2, 2, 2, 0]


def test_a_published_client_alone_is_below_ten_a_second() -> None:
    """Three POSTs and a poll in a row, then a poll every half second."""
    clock = ManualClock()
    pace = Pace(10, clock)
    assert taken(pace, 4) == 4
    for _ in range(1000):
        clock.forward(0.5)
        pace.admit(b"a")


def test_over_http_it_is_429_with_retry_after(make_api: ApiMaker) -> None:
    api = make_api(requests_per_second=0.01)
    assert api.client.post(POSTS[0], json={"workspace_id": "ws1"}).status_code == 201
    for answer in (api.client.post(POSTS[0], json={"workspace_id": "ws1"}), api.client.get("/api/v1/tasks/t")):
        assert (answer.status_code, refusal(answer)) == (429, "too_many_requests")
        assert 98 <= int(answer.headers["retry-after"]) <= 100
    other = {"authorization": f"Bearer {OTHER_TOKEN}"}
    assert httpx.get(f"{api.url}/api/v1/tasks/t", headers=other).status_code == 404
    guesses = [httpx.get(f"{api.url}/api/v1/tasks/t", headers={"authorization": f"Bearer {n}"}) for n in range(2)]
    assert [guess.status_code for guess in guesses] == [401, 429]
    assert [api.client.get("/healthz").status_code for _ in range(3)] == [200] * 3
