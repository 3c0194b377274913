"""What the tests of the published clients share: whether a client can run here, and an end for the browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clients import page_visits
from tests.clients.runners import clients_are_required, unavailable


@pytest.fixture
def runnable(client: str) -> str:
    """The client that the test is parametrised with; skipped, or failed where it is required, if it cannot run."""
    if why := unavailable(client):
        (pytest.fail if clients_are_required() else pytest.skip)(f"{client} cannot run here: {why}")
    return client


@pytest.fixture(scope="session", autouse=True)
def _browser_ends() -> Iterator[None]:
    yield
    page_visits.close_shared()
