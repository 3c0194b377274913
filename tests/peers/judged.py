"""What the suite says of a peer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.peers.serve import SECOND_TOKEN, TOKEN, Peer, running

_HANG_GUARD = 300


def report_on(peer: Peer) -> dict[str, Any]:
    """The suite's report on the peer; its exit code and what it printed beside it."""
    with tempfile.TemporaryDirectory() as folder, running(peer) as url:
        command = [sys.executable, "-m", "sendpoll.cli.main", "check", url, "--token", TOKEN]
        command += ["--second-token", SECOND_TOKEN, "--seed", "1", "--examples", "25", "--report-dir", folder]
        environment = {**os.environ, "NO_COLOR": "1"}
        ran = subprocess.run(command, capture_output=True, text=True, timeout=_HANG_GUARD, env=environment, check=False)
        report: dict[str, Any] = json.loads(Path(folder, "report.json").read_text(encoding="utf-8"))
    return {**report, "exited": ran.returncode, "printed": ran.stdout + ran.stderr}
