"""The suite against the mutants: each fails its requirement, and nothing that its fault does not break.

All of them take about ten minutes of two cores. By default a sample runs, one of each chapter and kind; set
SENDPOLL_EXHAUSTIVE=1 for all.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from tests.mutants.catalogue import BY_NAME, MUTANTS
from tests.mutants.matrix import AT_ONCE, Outcome, outcome_of
from tests.pooled import pooled

Ran = Callable[[str], Outcome]

SAMPLE = (
    "conversation-needs-length",
    "workspaces-redirect-to-slash",
    "known-workspace-conflicts",
    "conversation-id-renamed",
    "task-id-brackets",
    "task-id-reused",
    "next-offset-float-at-the-end",
    "offset-skips-an-event",
    "history-rewritten",
    "completed-before-the-last-event",
    "text-cumulative",
    "event-101-a-string",
    "emoji-cut-in-two-chunks",
    "not-a-number",
    "length-in-characters",
    "line-feeds-alone",
    "idle-half-a-second",
    "preflight-needs-token",
    "poll-max-age",
    "malformed-from-breaks",
    "tasks-of-others-shown",
    "polls-without-token",
)


def _names() -> list[str]:
    return [mutant.name for mutant in MUTANTS] if os.environ.get("SENDPOLL_EXHAUSTIVE") else list(SAMPLE)


@pytest.fixture(scope="module", name="ran")
def _ran(request: pytest.FixtureRequest) -> Iterator[Ran]:
    with pooled(request, lambda name: outcome_of(BY_NAME[name]), AT_ONCE) as outcome:
        yield outcome


@pytest.mark.parametrize("name", _names())
def test_a_mutant_fails_its_requirement_and_no_other(name: str, ran: Ran) -> None:
    outcome = ran(name)

    assert list(outcome.problems()) == [], outcome.sentences
