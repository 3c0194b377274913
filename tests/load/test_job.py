"""What is said around a run."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from sendpoll.core.interruption import Interruption
from sendpoll.core.reports.console import console_for
from sendpoll.core.target.target import Target
from sendpoll.load.engine import Fleet, RunResult, Workload
from sendpoll.load.job import Job, run_job
from sendpoll.load.measure.metrics import Metrics
from sendpoll.load.scenario.scenario_file import load_scenario

Said = Callable[..., str]


@pytest.fixture(name="said")
def _said(monkeypatch: pytest.MonkeyPatch) -> Said:
    """What a run that never took place writes about itself while it goes on."""
    nothing = RunResult(Metrics(), {}, {}, (), started_at=0.0, seconds=1.0)
    monkeypatch.setattr("sendpoll.load.job.run", lambda *_, **__: nothing)

    def said(**target: Any) -> str:
        err = io.StringIO()
        job = Job(workload=Workload(Target(**target), load_scenario("smoke")), fleet=Fleet())
        run_job(job, console_for(io.StringIO()), console_for(err), Interruption())
        return err.getvalue()

    return said


def test_a_certificate_that_is_not_verified_is_warned_of(said: Said) -> None:
    warning = "Warning: the server's certificate is not verified."
    assert warning in said(base_url="https://agent.test", verify_tls=False)
    assert warning not in said(base_url="https://agent.test")
    assert warning not in said(base_url="http://agent.test", verify_tls=False)


def test_a_console_that_carries_ascii_alone_gets_the_nearest_of_it() -> None:
    program = "from sendpoll.core.reports.console import consoles; consoles()[0].print('686 µs – 你')"
    command = [sys.executable, "-c", program]
    printed = subprocess.run(command, capture_output=True, check=True, env={"PYTHONIOENCODING": "ascii"})
    assert printed.stdout == b"686 us - \\u4f60\n"
