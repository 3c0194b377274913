"""The states of a task and every transition between them.

Nothing else decides a status: the journal asks `advance` and stores what it says. A pair that the table lacks is an
error of the program, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class State(Enum):
    """Where a task stands."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


class Step(Enum):
    """What can happen to a task."""

    START = "start"
    COMPLETE = "complete"
    FAIL = "fail"
    ABANDON = "abandon"
    """The server stops, or comes back and finds the task unfinished."""


class IllegalStepError(Exception):
    """A task was asked to do what its state does not allow."""


TRANSITIONS: Mapping[State, Mapping[Step, State]] = {
    State.QUEUED: {Step.START: State.RUNNING, Step.ABANDON: State.FAILED},
    State.RUNNING: {Step.COMPLETE: State.COMPLETED, Step.FAIL: State.FAILED, Step.ABANDON: State.FAILED},
    State.COMPLETED: {},
    State.FAILED: {},
}

# A client stops at the first status that is not `running`, so a task that waits for its turn says so too.
PUBLIC_STATUS: Mapping[State, str] = {
    State.QUEUED: "running",
    State.RUNNING: "running",
    State.COMPLETED: "completed",
    State.FAILED: "failed",
}

RUNNING = PUBLIC_STATUS[State.RUNNING]


def advance(state: State, step: Step) -> State:
    """The state after a step; raises IllegalStepError where the table has none."""
    after = TRANSITIONS[state].get(step)
    if after is None:
        raise IllegalStepError(f"a {state.value} task cannot {step.value}")
    return after


def is_final(state: State) -> bool:
    """Whether nothing can follow."""
    return not TRANSITIONS[state]
