"""The suite lets every right server pass, however different it is: no false red."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.runners import clients_are_required
from tests.peers.serve import PEERS, SECOND_TOKEN, TOKEN, Peer, running
from tests.pooled import pooled

_HANG_GUARD = 300
_BY_NAME = {peer.name: peer for peer in PEERS}
Judged = Callable[[str], dict[str, Any]]


def _judge(peer: Peer) -> dict[str, Any]:
    """The suite's report on the peer; its exit code and what it printed beside it."""
    with tempfile.TemporaryDirectory() as folder, running(peer) as url:
        command = [sys.executable, "-m", "sendpoll.cli.main", "check", url, "--token", TOKEN]
        command += ["--second-token", SECOND_TOKEN, "--seed", "1", "--examples", "25", "--report-dir", folder]
        environment = {**os.environ, "NO_COLOR": "1"}
        ran = subprocess.run(command, capture_output=True, text=True, timeout=_HANG_GUARD, env=environment, check=False)
        report: dict[str, Any] = json.loads(Path(folder, "report.json").read_text(encoding="utf-8"))
    return {**report, "exited": ran.returncode, "printed": ran.stdout + ran.stderr}


@pytest.fixture(scope="module", name="judged")
def _judged(request: pytest.FixtureRequest) -> Iterator[Judged]:
    with pooled(request, lambda name: _judge(_BY_NAME[name])) as report:
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
