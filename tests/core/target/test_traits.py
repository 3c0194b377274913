"""Traits in words, and as a target file declares them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sendpoll.core.target.target_file import load_target
from sendpoll.core.target.traits import (
    Beyond,
    Offsets,
    RequestPace,
    Scope,
    TaskLimit,
    TaskTime,
    Traits,
    seconds_in_words,
)
from sendpoll.core.target.url import TargetError


def file(folder: Path, traits: str) -> Path:
    path = folder / "server.yaml"
    path.write_text(f"url: http://localhost:8091\ntoken: t\ntraits:\n{traits}", encoding="utf-8")
    return path


def test_a_target_file_declares_traits(tmp_path: Path) -> None:
    lines = "  tasks_at_once: {workspace: 1, all: 4}\n  beyond: queued\n  task_seconds: 45\n  requests_per_second: 10\n"
    traits = load_target(file(tmp_path, f"{lines}  conversation_id: optional\n"), {}).traits
    assert traits.limit(Scope.WORKSPACE) == TaskLimit(Scope.WORKSPACE, 1, Beyond.QUEUED)
    assert traits.limit(Scope.ALL) == TaskLimit(Scope.ALL, 4, Beyond.QUEUED)
    assert traits.task_time is not None
    assert traits.task_time.end == 45
    assert traits.pace == RequestPace(10)
    assert traits.makes_conversations is True


@pytest.mark.parametrize(
    "wrong", ["  tasks_at_once: 1\n", "  beyond: lost\n", "  task_seconds: 0\n", "  colour: red\n"]
)
def test_a_mistake_in_them_is_told_with_its_place(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(TargetError, match=r"server\.yaml: traits"):
        load_target(file(tmp_path, wrong), {})


def test_traits_in_words() -> None:
    traits = Traits(
        limits=(TaskLimit(Scope.WORKSPACE, 1, Beyond.REFUSED, 409), TaskLimit(Scope.ALL, 3, Beyond.QUEUED)),
        at_once=3,
        task_time=TaskTime(0.5, 2.0, 45.0),
        pace=RequestPace(6.5, 429, "date"),
        makes_conversations=True,
        offsets=Offsets("opaque", 17, 6.0),
        statuses=("completed", "failed"),
    )
    assert list(traits.sentences()) == [
        ("tasks_at_once.workspace", "one task at a time per workspace, more are refused with 409"),
        ("tasks_at_once.all", "3 tasks at a time in all, more are queued"),
        ("at_once", "3 tasks were seen to run at the same time"),
        ("task_seconds", "a task takes about 45 s: 0.5 s to the first event, up to 2 s between two"),
        (
            "requests_per_second",
            "kept to 6.5 requests a second; faster ones are answered 429, with Retry-After as a date",
        ),
        ("conversation_id", "conversation_id is made where it is left out"),
        ("offsets", "offsets are opaque, from 17; a task was gone 6 s after its end"),
        ("statuses", "tasks end as completed, failed"),
    ]


def test_nothing_known_is_nothing_said() -> None:
    assert list(Traits().sentences()) == []


@pytest.mark.parametrize(("seconds", "words"), [(0.62, "0.62 s"), (45.2, "45 s"), (99, "99 s"), (361, "6 minutes")])
def test_times_in_words(seconds: float, words: str) -> None:
    assert seconds_in_words(seconds) == words
