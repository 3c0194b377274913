"""The suite lets every right server pass, however different it is: no false red."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.clients.runners import clients_are_required
from tests.peers.judged import report_on
from tests.peers.serve import PEERS
from tests.pooled import pooled

_BY_NAME = {peer.name: peer for peer in PEERS}
Judged = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="module", name="judged")
def _judged(request: pytest.FixtureRequest) -> Iterator[Judged]:
    with pooled(request, lambda name: report_on(_BY_NAME[name])) as report:
        yield report


@pytest.mark.parametrize("name", _BY_NAME)
def test_a_right_server_passes(name: str, judged: Judged) -> None:
    """Every MUST passes, and every SHOULD but those that this server truly lacks."""
    if missing := _BY_NAME[name].missing:
        (pytest.fail if clients_are_required() else pytest.skip)(missing)
    report = judged(name)
    others = {
        row["id"]: (row["verdict"], row["reason"], [violation["sentence"] for violation in row["violations"]])
        for row in report["requirements"]
        if row["verdict"] != "pass"
    }

    assert others.keys() == _BY_NAME[name].lacks.keys(), others
    assert report["exited"] == 0, report["printed"]
