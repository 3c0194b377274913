"""The measurement of the generator: it comes to an end, and ends with whoever asked for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

from tests.benchmarks.interrupted import MARK, marked, orphans

_GUARD_S = 120
_DOCTOR = (sys.executable, "-m", "sendpoll.cli.main", "doctor")


def test_it_measures_and_leaves_nobody() -> None:
    mark = "doctor-that-measures"
    environ = {**os.environ, MARK: mark}
    done = subprocess.run([*_DOCTOR, "--json"], capture_output=True, timeout=_GUARD_S, check=True, env=environ)
    assert json.loads(done.stdout)["requests_per_second"] > 0
    assert orphans(mark) == []


def test_what_it_started_ends_with_it_also_where_it_is_killed() -> None:
    mark = "doctor-that-is-killed"
    with subprocess.Popen(
        _DOCTOR, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, MARK: mark}
    ) as doctor:
        deadline = time.monotonic() + _GUARD_S
        while len(marked(mark)) < 3:  # itself, the generator and the stub
            assert time.monotonic() < deadline
            time.sleep(0.05)
        doctor.kill()
    assert orphans(mark) == []
