"""`load --network` and `load --restart`: users on a network that is broken on purpose, and over a restart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from sendpoll.cli.main import cli
from sendpoll.core.validation import validator
from tests.conformance.reference import TOKEN, reference
from tests.killable import TOKEN as KILLABLE
from tests.killable import killable


def load(folder: Path, *arguments: str) -> tuple[subprocess.CompletedProcess[str], Any]:
    command = [sys.executable, "-m", "sendpoll.cli.main", "load", *arguments, "--report-dir", str(folder)]
    ran = subprocess.run(
        command, capture_output=True, text=True, timeout=180, env={**os.environ, "COLUMNS": "200"}, check=False
    )
    path = folder / "result.json"
    result = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    if result is not None:
        validator("files/load-result.json").validate(result)
    return ran, result


@pytest.mark.parametrize("on_outage", ["fail", "wait"])
def test_what_a_broken_network_costs(tmp_path: Path, on_outage: str) -> None:
    network = tmp_path / "network.yaml"
    network.write_text("faults:\n- {fault: reset, call: poll, every: 4}\n", encoding="utf-8")
    with reference() as server:
        options = ("--token", TOKEN, "--users", "3", "--duration", "6s", "--network", str(network))
        ran, result = load(tmp_path / "report", server.url, *options, "--on-outage", on_outage)

    (fault,) = result["network"]["faults"]
    assert fault["fault"] == "reset of a poll"
    assert fault["injected"] > 0, ran.stdout
    if on_outage == "fail":
        assert result["ledger"]["failed"] >= fault["injected"] - fault["recovered"] > 0
    else:
        assert (result["ledger"]["failed"], fault["recovered"]) == (0, fault["injected"]), ran.stdout
    assert not result["violations"]
    assert "broken on purpose" in ran.stdout


def test_a_restart_is_measured_and_every_task_judged_over_it(tmp_path: Path) -> None:
    with killable(tmp_path, "--chunks", "20", "--chunk-interval", "0.1") as server:
        options = ("--token", KILLABLE, "--users", "4", "--duration", "14s", "--think", "0.2s")
        ran, result = load(tmp_path / "report", server.url, *options, "--restart", server.command, "--at", "4s")

    told = result["restart"]
    assert told["answered_after_s"] > 0, ran.stdout
    assert told["good_task_after_s"] > told["answered_after_s"]
    assert told["tasks"] == sum(told["outcomes"].values()) > 0
    assert not result["violations"], "what was served before the kill was served behind it"


def test_a_command_that_restarts_nothing_makes_the_run_invalid(tmp_path: Path) -> None:
    with reference() as server:
        options = ("--token", TOKEN, "--users", "1", "--duration", "4s", "--restart", "exit 3", "--at", "1s")
        ran, result = load(tmp_path, server.url, *options)
    assert ran.returncode == 4
    assert "the restart command ended with 3" in ran.stdout
    assert result["restart"]["answered_after_s"] is None


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--restart", "true", "--duration", "10s"), "--at 60s: the run is over by then"),
        (("--network", "{missing}"), "does not exist"),
        (("--network", "{odd}"), "'often' is not known here"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, options: tuple[str, ...], told: str) -> None:
    odd = tmp_path / "odd.yaml"
    odd.write_text("faults:\n- {fault: cut, often: 1}\n", encoding="utf-8")
    given = [word.format(missing=tmp_path / "missing.yaml", odd=odd) for word in options]
    ran = CliRunner().invoke(cli, ["load", "http://127.0.0.1:9", *given])
    assert ran.exit_code == 2
    assert told in ran.output
