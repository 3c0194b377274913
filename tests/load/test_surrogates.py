"""Half of a surrogate pair, which JSON can hold and UTF-8 cannot, in every text of a right server's answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.load.scripted_api import serving

HALF = "\ud83d"
_GUARD_S = 120


@pytest.mark.parametrize(
    "event",
    [{"type": HALF}, {"type": "tool", "data": {HALF: HALF}}, {HALF: 1, "type": "x"}],
    ids=["type", "data", "key"],
)
def test_a_load_on_it_ends_as_on_any_right_server(event: dict[str, object], tmp_path: Path) -> None:
    """The text of an event is nothing that a client reads, so no requirement is broken, and nothing of ours breaks."""
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    with serving(event) as url:
        ended = subprocess.run(
            [sys.executable, "-m", "sendpoll.cli.main", "load", url, "--token", "t", "--users", "3", "--duration", "2s",
             "--think", "50ms", "--poll-interval", "50ms", "--slo", "errors <= 50%", "--inconclusive", "pass",
             "--report-dir", str(tmp_path)],
            capture_output=True, text=True, timeout=_GUARD_S, check=False, env=environment,
        )  # fmt: skip
    assert "Traceback" not in ended.stdout + ended.stderr
    result = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert result["violations"] == []
    assert (result["ledger"]["abandoned"], result["ledger"]["failed"]) == (0, 0)
    assert result["ledger"]["good"] > 0
    assert ended.returncode in {0, 4}, ended.stdout + ended.stderr
    assert not [problem for problem in result["generator"]["problems"] if "broke" in problem]
