"""The suite as pytest runs it: natively with its own options, and from the command with no other's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sendpoll.conformance.results.judgement import Judgement
from sendpoll.conformance.server.plugin import PROPERTY, RunOptions, results_of
from sendpoll.conformance.server.suite_run import check
from sendpoll.core.target.target import Target
from tests.conformance.reference import TOKEN, Reference, reference

HANG_GUARD = 240
CHECKS = """
import pytest
from sendpoll.conformance.server.transport.connection import NoConnectionError

@pytest.mark.requirement("POLL-8")
def test_nothing_seen(case):
    pass

@pytest.mark.requirement("POLL-8")
def test_seen(case):
    case.exercise()

@pytest.mark.requirement("POLL-8")
def test_broken(case):
    case.judge("text was cut")

@pytest.mark.requirement("POLL-8")
def test_broken_and_then_ended(case):
    case.judge("text was cut")
    case.inconclusive("the twin fails too")

@pytest.mark.requirement("POLL-8")
def test_inconclusive(case):
    case.exercise()
    case.inconclusive("the twin fails too")

@pytest.mark.requirement("POLL-8")
def test_no_connection(case):
    case.exercise()
    raise NoConnectionError("nobody there")

@pytest.mark.requirement("POLL-8")
def test_crash(case):
    case.exercise()
    raise ZeroDivisionError

def test_of_somebody_else():
    pass
"""


PLUGIN = ("-p", "sendpoll.conformance.server.plugin")
ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
"""Without the plugins that are installed: some take seconds to load."""


def run_pytest(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "SENDPOLL_TOKEN": TOKEN, "PYTHONDONTWRITEBYTECODE": "1", **environ},
        capture_output=True,
        text=True,
        timeout=HANG_GUARD,
        check=False,
    )


@pytest.fixture(name="server", scope="module")
def _server() -> Iterator[Reference]:
    with reference() as server:
        yield server


# ---- what a case comes to ----


@pytest.fixture(name="outcomes", scope="module")
def _outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    """Each check's outcome as pytest tells it, and what it says; no server is asked for."""
    folder = tmp_path_factory.mktemp("checks")
    (folder / "test_checks.py").write_text(CHECKS)
    junit = folder / "junit.xml"
    ran = run_pytest(folder, *PLUGIN, "--base-url", "http://127.0.0.1:9", f"--junitxml={junit}", **ALONE)
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED, ran.stdout + ran.stderr
    found = {}
    for case in ET.parse(junit).iter("testcase"):
        told = next((child for child in case if child.tag in {"failure", "skipped", "error"}), None)
        found[case.attrib["name"]] = ("passed", "") if told is None else (told.tag, told.attrib["message"])
    return found


def test_a_case_that_counted_nothing_is_skipped(outcomes: dict[str, tuple[str, str]]) -> None:
    outcome, message = outcomes["test_nothing_seen"]
    assert outcome == "skipped"
    assert message.startswith("not_exercised: ")


def test_a_case_that_saw_something_passes(outcomes: dict[str, tuple[str, str]]) -> None:
    assert outcomes["test_seen"][0] == "passed"


@pytest.mark.parametrize("name", ["test_broken", "test_broken_and_then_ended"])
def test_a_case_that_saw_a_violation_fails(outcomes: dict[str, tuple[str, str]], name: str) -> None:
    outcome, message = outcomes[name]
    assert outcome == "failure"
    assert "POLL-8 (MUST): The server must deliver" in message
    assert "text was cut" in message


@pytest.mark.parametrize(
    ("name", "reason"), [("test_inconclusive", "the twin fails too"), ("test_no_connection", "nobody there")]
)
def test_a_case_that_cannot_tell_is_skipped(outcomes: dict[str, tuple[str, str]], name: str, reason: str) -> None:
    assert outcomes[name] == ("skipped", f"inconclusive: {reason}")


def test_a_check_that_crashes_is_a_failure_of_pytests_own(outcomes: dict[str, tuple[str, str]]) -> None:
    outcome, message = outcomes["test_crash"]
    assert outcome == "failure"
    assert message.strip().splitlines()[-1].endswith("ZeroDivisionError")


@pytest.mark.parametrize(
    ("when", "outcome", "told"),
    [
        ("setup", "passed", 0),
        ("setup", "skipped", 1),
        ("call", "passed", 1),
        ("call", "failed", 1),
        ("teardown", "passed", 0),
        ("teardown", "failed", 0),
    ],
)
def test_what_a_check_told_is_taken_once(when: Any, outcome: Any, told: int) -> None:
    """pytest hands it on from phase to phase."""
    properties = [(PROPERTY, json.dumps({"requirement": "POLL-8"}))]
    report = pytest.TestReport("x", ("x", 1, "x"), {}, outcome, None, when, user_properties=properties)
    assert len(list(results_of(report))) == told


def test_tests_of_others_are_left_alone(outcomes: dict[str, tuple[str, str]]) -> None:
    assert outcomes["test_of_somebody_else"][0] == "passed"


def test_a_check_of_an_unknown_row_is_an_error_of_usage(tmp_path: Path) -> None:
    (tmp_path / "test_checks.py").write_text(CHECKS.replace("POLL-8", "POLL-99"))
    ran = run_pytest(tmp_path, *PLUGIN, **ALONE)
    assert ran.returncode == pytest.ExitCode.USAGE_ERROR
    assert "'POLL-99' is no row of the catalogue" in ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--base-url", "nonsense"], "'nonsense' is no base URL"),
        (["--sendpoll-target", "absent.yaml"], "absent.yaml: No such file"),
    ],
)
def test_a_target_that_is_none_is_an_error_of_usage(tmp_path: Path, arguments: list[str], told: str) -> None:
    (tmp_path / "test_checks.py").write_text(CHECKS)
    ran = run_pytest(tmp_path, *PLUGIN, *arguments, **ALONE)
    assert ran.returncode == pytest.ExitCode.USAGE_ERROR
    assert told in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stdout + ran.stderr


# ---- pytest --pyargs sendpoll.conformance ----


def test_the_suite_runs_natively(tmp_path: Path, server: Reference) -> None:
    """With whatever plugins are installed, picked by a row's id, and with pytest's own report."""
    arguments = ["--pyargs", "sendpoll.conformance", "--base-url", server.url, "--token-env", "MY_TOKEN"]
    ran = run_pytest(
        tmp_path, *arguments, "-k", "NF-3 or METHOD-1", "-x", "--junitxml=j.xml", MY_TOKEN=TOKEN, SENDPOLL_TOKEN="wrong"
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "2 passed" in ran.stdout
    assert TOKEN not in ran.stdout + ran.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["j.xml"]
    assert len(list(ET.parse(tmp_path / "j.xml").iter("testcase"))) == 2


def test_the_suite_runs_natively_from_a_target_file(tmp_path: Path, server: Reference) -> None:
    (tmp_path / "t.yaml").write_text(f"url: {server.url}\ntoken: ${{MY_TOKEN}}\n")
    arguments = ["--pyargs", "sendpoll.conformance", "--sendpoll-target", "t.yaml", "--sendpoll-seed", "5"]
    ran = run_pytest(tmp_path, *arguments, "-k", "NF-3", MY_TOKEN=TOKEN, SENDPOLL_TOKEN="")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 passed" in ran.stdout


@pytest.mark.parametrize(
    ("url", "token", "told"),
    [("http://127.0.0.1:9", TOKEN, "Connection refused"), ("", "wrong", "401")],
)
def test_a_run_that_can_say_nothing_is_not_green(
    tmp_path: Path, server: Reference, url: str, token: str, told: str
) -> None:
    arguments = ["--pyargs", "sendpoll.conformance", "--base-url", url or server.url, "-k", "NF-3 or POLL-8"]
    ran = run_pytest(tmp_path, *arguments, SENDPOLL_TOKEN=token)
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED, ran.stdout
    assert "nothing certain can be said" in ran.stdout
    assert told in ran.stdout.partition("nothing certain")[2]


def test_a_run_over_several_processes_is_refused(tmp_path: Path, server: Reference) -> None:
    """Each would send messages of its own, and none would see all traffic."""
    before = server.requests
    arguments = ["--pyargs", "sendpoll.conformance", "--base-url", server.url, "-k", "NF-3", "-n", "2"]
    ran = run_pytest(tmp_path, *arguments)
    assert ran.returncode != 0
    assert "run them without -n" in ran.stdout + ran.stderr
    assert server.requests == before


# ---- sendpoll check, in a folder of somebody else's ----


@pytest.fixture(name="hostile_folder")
def _hostile_folder(tmp_path: Path) -> Path:
    """A folder in which every pytest would break, and imports would find the wrong things."""
    (tmp_path / "conftest.py").write_text("raise RuntimeError('conftest.py of the folder')")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\nminversion = 99\n")
    (tmp_path / "evil.py").write_text("raise RuntimeError('plugin of the folder')")
    for name in ("schemas", "conformance", "load", "cli", "reference_server"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise RuntimeError('{name} of the folder')")
    return tmp_path


def test_nothing_of_folder_or_environment_takes_part_and_nothing_is_left(
    hostile_folder: Path, server: Reference
) -> None:
    before = sorted(hostile_folder.rglob("*"))
    ran = subprocess.run(
        [sys.executable, "-P", "-m", "sendpoll.cli.main", "check", server.url, "--only", "NF-3", "--only", "BODY-2"],
        cwd=hostile_folder,
        env={
            **os.environ,
            "SENDPOLL_TOKEN": TOKEN,
            "PYTEST_ADDOPTS": "--no-such-option",
            "PYTEST_PLUGINS": "evil",
            "PYTHONPATH": os.pathsep.join([str(hostile_folder / "nothing"), os.environ.get("PYTHONPATH", "")]),
            "CI": "1",
        },
        capture_output=True,
        text=True,
        timeout=HANG_GUARD,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "of the folder" not in ran.stdout + ran.stderr
    assert sorted(hostile_folder.rglob("*")) == before


def test_the_environment_is_as_it_was_behind_a_run(monkeypatch: pytest.MonkeyPatch, server: Reference) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "-q")
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", raising=False)
    before = (dict(os.environ), sys.dont_write_bytecode, sys.getrecursionlimit(), list(sys.path))
    rows = frozenset({"NF-3"})
    check(Target(base_url=server.url, token=TOKEN), RunOptions(1, 1, rows), Judgement(only=rows))
    assert (dict(os.environ), sys.dont_write_bytecode, sys.getrecursionlimit(), list(sys.path)) == before


def test_a_native_run_imports_nothing_of_the_folder_and_hides_nothing_of_it(
    hostile_folder: Path, server: Reference
) -> None:
    """Its packages may be called as ours are, and its own tests may be in the same run."""
    for name in ("conftest.py", "pytest.ini"):
        (hostile_folder / name).unlink()
    for name in ("schemas", "conformance", "load"):
        (hostile_folder / name / "__init__.py").write_text("OWNER = 'folder'")
    (hostile_folder / "test_own.py").write_text(
        "import sys, conformance, load, schemas\n"
        "def test_own():\n"
        "    assert [m.OWNER for m in (conformance, load, schemas)] == ['folder'] * 3\n"
        "    assert not [p for p in sys.path if p.endswith('sendpoll')]\n"
    )
    arguments = ["--pyargs", "sendpoll.conformance", "test_own.py", "--base-url", server.url, "-k", "NF-3 or test_own"]
    ran = run_pytest(hostile_folder, *arguments)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "2 passed" in ran.stdout
