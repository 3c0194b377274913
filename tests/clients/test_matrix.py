"""The catalogue's claims about who breaks, held against the real clients."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import cast

import pytest

from sendpoll.schemas.catalogue import Level, load_catalogue
from tests.clients.fault import Fault
from tests.clients.faults import FAULTS, INEXPRESSIBLE
from tests.clients.matrix import (
    AT_ONCE,
    WHO_BREAKS,
    Run,
    as_json,
    as_tabled,
    broken,
    observe,
    possible,
    told,
    who_breaks,
)
from tests.clients.runners import CLIENTS, clients_are_required, unavailable

Runs = dict[str, list[Future[Run]]]
MUST = {row.id: row for row in load_catalogue().rows if row.level is Level.MUST and not row.excluded}


def name(fault: Fault) -> str:
    return f"{fault.requirement}-{fault.name}"


@pytest.fixture(scope="module")
def begun(request: pytest.FixtureRequest) -> Iterator[Runs]:
    """The runs of every fault that was chosen, begun together: one by one they would mostly sleep."""
    chosen: list[Fault] = [
        cast("Fault", item.callspec.params["fault"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.originalname == test_breaks_whom_it_is_said_to_break.__name__
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        runs: Runs = {
            name(fault): [pool.submit(observe, fault, client) for client in fault.clients if not unavailable(client)]
            for fault in chosen
            if possible(fault)
        }
        yield runs
        for futures in runs.values():
            for future in futures:
                future.cancel()


@pytest.mark.parametrize("fault", FAULTS, ids=name)
def test_breaks_whom_it_is_said_to_break(fault: Fault, begun: Runs) -> None:
    if not possible(fault):
        pytest.skip("localhost means something else here than where the fault was seen")
    runs = [future.result() for future in begun[name(fault)]]
    tried = {run.letter for run in runs}
    assert broken(runs) == "".join(letter for letter in fault.breaks if letter in tried), "\n".join(map(told, runs))
    absent = [f"{client} ({why})" for client in fault.clients if (why := unavailable(client))]
    if absent:
        (pytest.fail if clients_are_required() else pytest.skip)(f"not tried with {', '.join(absent)}")


@pytest.mark.parametrize("client", CLIENTS)
def test_no_client_breaks_without_a_fault(runnable: str) -> None:
    assert observe(Fault("", "none", ""), runnable).failure == ""


def test_no_two_faults_have_one_name() -> None:
    assert len({name(fault) for fault in FAULTS}) == len(FAULTS)


def test_every_must_has_a_fault_or_the_reason_why_not() -> None:
    assert set(MUST) - set(as_tabled()) == set(INEXPRESSIBLE)


@pytest.mark.parametrize("requirement", sorted(set(MUST) - set(INEXPRESSIBLE)))
def test_the_catalogue_names_exactly_the_clients_that_break(requirement: str) -> None:
    assert set(MUST[requirement].breaks) == as_tabled()[requirement]


def test_nobody_breaks_on_what_the_catalogue_leaves_free() -> None:
    assert {requirement for requirement, letters in as_tabled().items() if not letters} == set(as_tabled()) - set(MUST)


def test_the_data_file_is_fresh() -> None:
    """Mend with: python -m tests.clients.matrix --write."""
    assert WHO_BREAKS.read_text(encoding="utf-8") == as_json(who_breaks(as_tabled()))
