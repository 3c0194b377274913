"""An exploration ends with what its check raises: at once, and with nothing else raised in its place."""

from __future__ import annotations

import pytest
from hypothesis import seed
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from sendpoll.conformance.server.inputs.fuzzing import EarlyEnd, explore, nothing_on_disk, suite_settings
from sendpoll.conformance.server.probing.endings import RunOverError


def test_every_value_is_checked_and_the_same_ones_for_the_same_seed() -> None:
    runs: list[list[int]] = [[], [], []]
    for values, run_seed in zip(runs, (1, 1, 2), strict=True):
        explore(st.integers(), values.append, examples=30, run_seed=run_seed)
    assert runs[0] == runs[1] != runs[2]
    assert len(runs[0]) == 30


def test_what_a_check_raises_ends_the_exploration_at_once() -> None:
    seen: list[int] = []

    def check(value: int) -> None:
        seen.append(value)
        if len(seen) == 3:
            raise RunOverError("too late")

    with pytest.raises(RunOverError, match="too late"):
        explore(st.integers(), check, examples=1000, run_seed=1)
    assert len(seen) == 3


def test_what_a_step_of_a_machine_raises_ends_it_at_once() -> None:
    ending = EarlyEnd()
    steps: list[int] = []

    def step() -> None:
        steps.append(1)
        if len(steps) == 3:
            raise RunOverError("too late")

    class Machine(RuleBasedStateMachine):
        @rule()
        def go(self) -> None:
            ending.attempt(step)

    with nothing_on_disk(), ending.kept():
        run_state_machine_as_test(seed(1)(Machine), settings=suite_settings(50))
    with pytest.raises(RunOverError, match="too late"):
        ending.tell()
    assert len(steps) == 3
