"""Ids of any characters in the path of a poll."""

from __future__ import annotations

import pytest

from sendpoll.conformance.server.probing.task_paths import pasted, polled

IDS = ("t1", "t%41", "t/2", "t 3", "t\ud83d/ {}", "任务", "t#4")


@pytest.mark.parametrize("task_id", IDS)
def test_a_pasted_id_is_found_again(task_id: str) -> None:
    tasks = {name: name for name in IDS}
    assert polled(f"/base/api/v1/tasks/{pasted(task_id)}?from=0", tasks) == task_id


def test_an_encoded_id_is_found_too() -> None:
    assert polled("/api/v1/tasks/t%2f2?from=0", {"t/2": 1}) == 1


def test_a_path_of_another_call_names_no_task() -> None:
    assert polled("/api/v1/workspaces/w/messages", {"w": 1}) is None
    assert polled("/api/v1/tasks/t9?from=0", {"t1": 1}) is None


def test_a_line_can_hold_what_is_pasted() -> None:
    assert pasted("t\ud83d 二") == "t%ED%A0%BD%20%E4%BA%8C"
