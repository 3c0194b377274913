"""How an exception of ours is told."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from sendpoll.load.measure.crash import crash_problems, crash_text, merged_crashes
from sendpoll.load.scenario.distribution import distribution_of


def caught(run: Callable[[], object], kind: type[Exception]) -> Exception:
    with pytest.raises(kind) as raised:
        run()
    return raised.value


def test_the_place_is_the_last_line_of_ours_and_not_the_librarys() -> None:
    text = crash_text(caught(lambda: json.loads("{"), json.JSONDecodeError))
    assert text.startswith("JSONDecodeError at test_crash.py:")
    assert "in <lambda>: Expecting property name" in text


def test_within_the_package_the_path_is_told_from_the_package_on() -> None:
    text = crash_text(caught(lambda: distribution_of({"kind": "fixed"}), KeyError))  # type: ignore[arg-type]  # it is not
    assert " at sendpoll/load/scenario/distribution.py:" in text


def test_an_exception_that_was_never_raised_has_no_place() -> None:
    assert crash_text(KeyError()) == "KeyError"


def test_lines_are_joined() -> None:
    assert crash_text(ValueError("one\n  two")) == "ValueError: one two"


def test_counts_of_several_processes_add_up() -> None:
    merged = merged_crashes([{"a": 1}, {"b": 1, "a": 1999}])
    assert crash_problems(merged) == (
        "the generator broke 2,000 times, not the server: a",
        "the generator broke, not the server: b",
    )
