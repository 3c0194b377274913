from __future__ import annotations

import itertools

import pytest

from sendpoll.reference_server.states import (
    PUBLIC_STATUS,
    TRANSITIONS,
    IllegalStepError,
    State,
    Step,
    advance,
    is_final,
)

PAIRS = list(itertools.product(State, Step))


@pytest.mark.parametrize(("state", "step"), [pair for pair in PAIRS if pair[1] in TRANSITIONS[pair[0]]])
def test_a_step_of_the_table_is_taken(state: State, step: Step) -> None:
    assert advance(state, step) is TRANSITIONS[state][step]


@pytest.mark.parametrize(("state", "step"), [pair for pair in PAIRS if pair[1] not in TRANSITIONS[pair[0]]])
def test_a_step_that_the_table_lacks_is_refused(state: State, step: Step) -> None:
    with pytest.raises(IllegalStepError, match=f"a {state.value} task cannot {step.value}"):
        advance(state, step)


def test_every_state_has_its_row_and_its_public_status() -> None:
    assert set(TRANSITIONS) == set(State) == set(PUBLIC_STATUS)


@pytest.mark.parametrize("state", list(State))
def test_only_what_can_still_change_is_called_running(state: State) -> None:
    assert (PUBLIC_STATUS[state] == "running") is not is_final(state)


def test_every_state_leads_to_an_end() -> None:
    ending = {state for state in State if is_final(state)}
    for _ in State:
        ending |= {state for state in State if ending & set(TRANSITIONS[state].values())}
    assert ending == set(State)
