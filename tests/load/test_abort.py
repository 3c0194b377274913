from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from sendpoll.load.abort import AbortOnFail
from sendpoll.load.engine import Order, View
from sendpoll.load.measure.metrics import Metrics
from tests.load.made_up import Run, metrics_of
from tests.load.observe.runs import limited


class Always:
    def decide(self, _: View) -> Order | None:
        return Order(1)


def at(elapsed: float, metrics: Metrics) -> View:
    return View(elapsed, 1, (), {}, {}, metrics, ())


def test_a_failed_objective_ends_a_run_after_the_delay() -> None:
    slow, sound = metrics_of(Run(slower=9, slos=("ttfe p95 <= 2s",))), metrics_of(Run(slos=("ttfe p95 <= 2s",)))
    controller = AbortOnFail(Always(), 30.0)
    assert controller.decide(at(29, slow)) == Order(1)
    assert controller.decide(at(31, sound)) == Order(1)
    assert controller.decide(at(37, slow)) is None
    assert controller.because == "ended after 37.0 s, since ttfe p95 <= 2s had failed"
    assert AbortOnFail(Always(), None).decide(at(99, slow)) == Order(1)


def test_what_has_not_been_measured_yet_ends_nothing() -> None:
    assert AbortOnFail(Always(), 0.0).decide(at(1, Metrics())) == Order(1)


def test_a_run_says_why_it_ended_early(tmp_path: Path) -> None:
    with limited("sound") as server:
        command = [sys.executable, "-m", "sendpoll.cli.main", "load", server.url, "--token", "x", "--users", "20"]
        command += ["--duration", "90s", "--think", "100ms", "--slo", "ttfe p50 <= 1ms", "--abort-on-fail", "4s"]
        done = subprocess.run(
            [*command, "--report-dir", str(tmp_path)], check=False, timeout=120, capture_output=True, text=True
        )
    result = json.loads((tmp_path / "result.json").read_text())
    assert done.returncode == 1
    assert result["seconds"] < 40
    assert result["aborted"].endswith("since ttfe p50 <= 1ms had failed")
    assert "had failed" in done.stdout
    assert result["ledger"]["balances"]
