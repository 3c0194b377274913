"""The suite against every mutant: its requirement fails, and nothing that the fault does not break."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.mutants.catalogue import BY_NAME, MUTANTS
from tests.mutants.matrix import AT_ONCE, Outcome, outcome_of
from tests.pooled import pooled

Ran = Callable[[str], Outcome]


@pytest.fixture(scope="module", name="ran")
def _ran(request: pytest.FixtureRequest) -> Iterator[Ran]:
    with pooled(request, lambda name: outcome_of(BY_NAME[name]), AT_ONCE) as outcome:
        yield outcome


@pytest.mark.parametrize("name", [mutant.name for mutant in MUTANTS])
def test_a_mutant_fails_its_requirement_and_no_other(name: str, ran: Ran) -> None:
    outcome = ran(name)

    assert list(outcome.problems()) == [], outcome.sentences
