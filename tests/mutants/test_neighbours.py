"""No right server beside a fault is taken for the faulty one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sendpoll.schemas.catalogue import load_catalogue
from tests.mutants.matrix import AT_ONCE, Outcome, outcome_of
from tests.mutants.neighbours import NEIGHBOURS
from tests.pooled import pooled

_BY_NAME = {neighbour.name: neighbour for neighbour in NEIGHBOURS}


@pytest.fixture(scope="module", name="ran")
def _ran(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Outcome]]:
    with pooled(request, lambda name: outcome_of(_BY_NAME[name].served), AT_ONCE) as outcome:
        yield outcome


@pytest.mark.parametrize("name", _BY_NAME)
def test_a_right_server_beside_a_fault_fails_nothing(name: str, ran: Callable[[str], Outcome]) -> None:
    outcome = ran(name)
    failed = {row for row, verdict in outcome.verdicts.items() if verdict == "fail"}

    assert failed <= _BY_NAME[name].lacks.keys(), {row: outcome.sentences.get(row) for row in failed}
    assert outcome.exit_code in {0, 3}, outcome.told


def test_each_stands_beside_a_row_of_the_catalogue() -> None:
    assert {neighbour.beside for neighbour in NEIGHBOURS} <= load_catalogue().by_id.keys()
