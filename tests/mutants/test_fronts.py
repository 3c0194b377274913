"""The fronts change nothing of their own: what a mutant does wrong is its fault alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import httpx
import pytest

from sendpoll.core.oracle import Poll, judge
from tests.mutants.byte_front import ByteFault, Call
from tests.mutants.catalogue import BY_NAME
from tests.mutants.exchange import Answer, Asked, Forward
from tests.mutants.model import Mutant
from tests.mutants.polls import polls
from tests.mutants.serve import right_server, running

Served = AbstractContextManager[tuple[str, str, str]]
_READS = 60


async def _as_it_is(asked: Asked, forward: Forward) -> Answer:
    return await forward(asked)


async def _through(call: Call) -> None:
    await call.reply(await call.forward())


def _faultless(make: object) -> Callable[[], Served]:
    mutant = Mutant(name="none", requirement="POLL-1", fault="none", make=make)  # type: ignore[arg-type]  # each is one of the three
    return lambda: running(mutant)


_FRONTS = {
    "none": right_server,
    "asgi": _faultless(_as_it_is),
    "polls": _faultless(polls(lambda _: None)),
    "bytes": _faultless(ByteFault(_through)),
}


def _walk(served: Served) -> tuple[list[int], list[Poll]]:
    """The four calls, and the task read by one reader from where it is and by one from the beginning.

    The latter once more when the task is over: however slow they are, either may be the one who sees the end first.
    """
    with served as (url, token, _), httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as client:
        client.post("/api/v1/workspaces", json={"workspace_id": "w"})
        opened = client.post("/api/v1/workspaces/w/conversations")
        body = {"conversation_id": opened.json()["conversation_id"], "message": "你好 👍"}
        sent = client.post("/api/v1/workspaces/w/messages", json=body)
        refused = client.get("/api/v1/tasks/unknown?from=0")
        recorded: list[Poll] = []
        offset = 0
        for _ in range(_READS):
            recorded += [_poll(client, sent.json()["task_id"], asked) for asked in dict.fromkeys((0, offset))]
            offset = recorded[-1].next_offset or 0
            if recorded[-1].status != "running":
                break
            time.sleep(0.03)
        recorded.append(_poll(client, sent.json()["task_id"], 0))
        return [opened.status_code, sent.status_code, refused.status_code], recorded


def _poll(client: httpx.Client, task: str, asked: int) -> Poll:
    before = time.monotonic()
    data = client.get(f"/api/v1/tasks/{task}?from={asked}").json()["data"]
    return Poll(asked, before, time.monotonic(), data["status"], data["events"], data["next_offset"])


@pytest.mark.parametrize("front", _FRONTS)
def test_a_front_without_a_fault_is_the_right_server(front: str) -> None:
    statuses, recorded = _walk(_FRONTS[front]())

    assert statuses == [201, 202, 404]
    assert recorded[-1].status == "completed"
    assert judge(recorded) == ()


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("offset-skips-an-event", "gap"),
        ("offset-repeats-an-event", "gap"),
        ("offset-stuck", "stuck"),
        ("from-ignored", None),  # what came again depends on the pace of its reader
        ("late-reader-gets-one-chunk", "rewrite"),
        ("late-reader-gets-a-page", "cut"),
        ("text-cumulative", "cumulative"),
        ("status-waits-for-a-tool", "flap"),
    ],
)
def test_the_oracle_alone_calls_a_mutant_of_the_log(name: str, rule: str | None) -> None:
    _, recorded = _walk(running(BY_NAME[name]))

    called = {found.rule for found in judge(recorded) if found.requirement == BY_NAME[name].requirement}
    assert called
    assert rule is None or rule in called
