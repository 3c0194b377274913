"""`action.yml`: its steps run as a runner would, against a right server, a broken one, clients and mistakes."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from sendpoll.cli.github_action import COMMANDS, OWN, InputError, command_line, outputs
from sendpoll.cli.main import cli
from tests.ci.action_runner import Job, run_action
from tests.load.plan.made_up import made_up_result
from tests.mutants.catalogue import BY_NAME
from tests.mutants.serve import TOKEN, right_server, running
from tests.test_packaging import tracked

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
DEPENDENCIES = str(Path(click.__file__).parents[1])
CHEAP = {"PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "PYTHONPATH": DEPENDENCIES}
"""What Sendpoll needs is taken from here rather than fetched for each run; SENDPOLL_EXHAUSTIVE fetches it."""
ROWS = "POLL-3\nWS-1"


@pytest.fixture(name="checkout", scope="module")
def _checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository as the runner checks it out: what is under version control, and nothing else."""
    folder = tmp_path_factory.mktemp("actions") / "sendpoll"
    for path in tracked():
        copy = folder / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, copy)
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    return folder


@pytest.fixture(name="environment", scope="module")
def _environment() -> dict[str, str]:
    return {} if os.environ.get("SENDPOLL_EXHAUSTIVE") else CHEAP


@pytest.fixture(name="first", scope="module")
def _first(checkout: Path, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Job:
    """The first use of the action, with every step: a right server is checked."""
    temp, workspace = tmp_path_factory.mktemp("temp"), tmp_path_factory.mktemp("workspace")
    job = Job(workspace, temp, environment)
    with right_server() as (url, token, _):
        return run_action(checkout, {"url": url, "token": token, "only": ROWS, "wait": "30s"}, job)


@pytest.fixture(name="job")
def _job(first: Job, environment: dict[str, str], tmp_path: Path) -> Job:
    """A job in which Sendpoll is installed already."""
    (tmp_path / "temp").mkdir()
    (tmp_path / "workspace").mkdir()
    (tmp_path / "temp" / "sendpoll").symlink_to(first.temp / "sendpoll")
    return Job(tmp_path / "workspace", tmp_path / "temp", environment)


def test_it_follows_the_schema_of_actions() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions"]
    checked = subprocess.run([*command, str(ROOT / "action.yml")], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_right_server_passes_with_summary_outputs_and_artifact(first: Job) -> None:
    assert not first.failed, first.log
    assert first.outputs == {"verdict": "conformant", "capacity": "", "report-dir": "sendpoll-report"}
    assert first.annotations == []
    assert "The published clients work with" in first.log
    assert first.summary.startswith("#")
    kept = first.artifacts["sendpoll-conformance"]
    assert {"report.json", "report.html", "junit.xml", "summary.md", "badge.json"} <= {
        one.name for one in kept.iterdir()
    }
    ((path, key),) = first.caches
    assert Path(path).is_absolute()
    assert key.startswith("sendpoll-Linux-X64-3.13-")
    assert len(key.rpartition("-")[2]) == 40


def test_a_broken_server_fails_the_job_and_is_told(checkout: Path, job: Job) -> None:
    with running(BY_NAME["next-offset-string"]) as (url, token, _):
        run_action(checkout, {"url": url, "token": token, "only": ROWS}, job, skip=("install",))
    assert job.failed
    assert job.steps["run"]["code"] == 1
    assert job.outputs["verdict"] == "nonconformant"
    assert [(kind, title) for kind, title, _ in job.annotations] == [("error", "POLL-3")]
    assert "POLL-3" in job.summary
    assert (job.artifacts["sendpoll-conformance"] / "report.json").is_file()
    everything = (
        job.log
        + job.summary
        + "".join(file.read_text(encoding="utf-8") for file in job.artifacts["sendpoll-conformance"].iterdir())
    )
    assert TOKEN not in everything


def test_a_server_that_is_not_there_is_no_verdict_of_it(checkout: Path, job: Job) -> None:
    run_action(checkout, {"url": "http://127.0.0.1:9", "token": "T", "only": ROWS}, job, skip=("install",))
    assert job.failed
    assert job.steps["run"]["code"] == 3
    assert job.outputs["verdict"] == "undetermined"


def test_a_client_is_judged_in_the_workspace(checkout: Path, job: Job) -> None:
    shutil.copy(ROOT / "examples" / "client.py", job.workspace / "my client.py")
    given = {"command": "client", "run": f"{shlex.quote(sys.executable)} 'my client.py'", "only": "C-9"}
    run_action(checkout, given | {"artifact": "none"}, job, skip=("install",))
    assert not job.failed, job.log
    assert job.outputs["verdict"] == "conformant"
    assert job.artifacts == {}


def test_load_is_held_by_lines_of_objectives(checkout: Path, job: Job) -> None:
    with right_server() as (url, token, _):
        given = {"command": "load", "url": url, "users": "2", "duration": "3s", "report-dir": "out/load", "seed": "1"}
        more = {"slo": "task p50 <= 20s\n\nerrors <= 50%\n", "options": "--think 100ms --inconclusive pass"}
        run_action(checkout, given | more | {"token": token, "artifact": "load"}, job, skip=("install",))
    assert job.steps["run"]["code"] in {0, 4}, job.log  # 4: this machine was busy with other things
    result = json.loads((job.artifacts["load"] / "result.json").read_text())
    assert job.outputs["verdict"] == result["verdict"]
    assert [gate["objective"] for gate in result["gates"]][:2] == ["task p50 <= 20s", "errors <= 50%"]
    assert job.outputs["report-dir"] == "out/load"


@pytest.mark.skipif(not os.environ.get("SENDPOLL_EXHAUSTIVE"), reason="two minutes")
def test_a_plan_tells_its_capacity(checkout: Path, job: Job) -> None:
    with right_server() as (url, token, _):
        given = {
            "command": "plan",
            "url": url,
            "token": token,
            "budget": "1min",
            "quick": "true",
            "slo": "task p50 <= 2s",
        }
        run_action(checkout, given | {"options": "--max-users 2 --no-doctor"}, job, skip=("install",))
    assert job.artifacts, job.log
    plan = json.loads((job.artifacts["sendpoll-conformance"] / "plan.json").read_text())
    assert job.outputs["verdict"] == plan["verdict"]
    assert job.failed is (plan["exit_code"] != 0)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"command": "bench"}, "command: 'bench' is none of check, client, load, plan, judge"),
        ({"users": "3"}, "users: sendpoll check has no such option; leave it out"),
        ({"run": "python client.py"}, "run: sendpoll check takes none; leave it out"),
        ({"strict": "yes"}, "strict: 'yes' is neither true nor false"),
        ({"options": "--prompt 'plain"}, "options: No closing quotation; write it as words of a shell"),
    ],
)
def test_a_mistaken_input_is_named(given: dict[str, str], told: str) -> None:
    with pytest.raises(InputError, match=re.escape(told)):
        command_line({"command": "check", "report-dir": "report"} | given)


def test_a_mistaken_input_ends_the_job(checkout: Path, job: Job) -> None:
    run_action(checkout, {"users": "3"}, job, skip=("install",))
    assert job.failed
    assert job.steps["run"]["code"] == 2
    assert job.annotations == [("error", "sendpoll", "users: sendpoll check has no such option; leave it out")]
    assert job.outputs["verdict"] == "none"
    assert "wrote no summary" in job.summary


def test_an_earlier_verdict_is_not_told_again(checkout: Path, first: Job, job: Job) -> None:
    shutil.copytree(first.workspace / "sendpoll-report", job.workspace / "sendpoll-report")
    run_action(checkout, {"options": "--no-such-option"}, job, skip=("install",))
    assert job.steps["run"]["code"] == 2
    assert job.outputs["verdict"] == "none"


def _options(command: str) -> set[str]:
    found = cli.get_command(click.Context(cli), command)
    assert found is not None
    return {option.removeprefix("--") for one in found.params for option in one.opts if option.startswith("--")}


def _commands() -> Iterator[str]:
    yield from (name for name in COMMANDS if cli.get_command(click.Context(cli), name) is not None)


def test_each_input_says_which_commands_have_it() -> None:
    known = set(_commands())
    for name, told in ACTION["inputs"].items():
        if name in OWN or name == "url":
            continue
        having = {command for command in known if name in _options(command)}
        listed = set(told["description"].removesuffix(".").rpartition("(")[2].removesuffix(")").split(", "))
        assert listed & known == having, name
        assert listed <= set(COMMANDS), name


def test_inputs_become_the_words_of_a_command() -> None:
    base = {"report-dir": "report"}
    words = command_line({"command": "check", "url": "http://h", "only": "A\nB", "strict": "true", "quick": "", **base}
                         | {"options": "--prompt 'plain=two words'", "level": "must", "token": "T"})  # fmt: skip
    assert words == ["check", "--only", "A", "--only", "B", "--strict", "--level", "must", "--report-dir", "report",
                     "--prompt", "plain=two words", "http://h"]  # fmt: skip
    words = command_line({"command": "client", "run": "sh -c 'exit 1'", "only": "", **base})
    assert words == ["client", "--report-dir", "report", "--", "sh", "-c", "exit 1"]
    words = command_line({"command": "judge", "url": "http://h", "files": "no*such.har\nb.har", **base})
    assert words == ["judge", "--url", "http://h", "--report-dir", "report", "no*such.har", "b.har"]


def test_an_input_is_never_run(checkout: Path, job: Job) -> None:
    given = {"url": "$(touch owned)", "only": '"; touch owned; "', "token": "`touch owned`", "wait": "'; touch owned;'"}
    run_action(checkout, given, job, skip=("install",))
    assert job.steps["run"]["code"] == 2
    assert list(job.workspace.glob("**/owned")) == []


def test_what_is_no_command_has_no_verdict(tmp_path: Path) -> None:
    assert outputs({"command": "bench", "report-dir": str(tmp_path)}) == {"verdict": "none", "capacity": ""}


def test_what_a_plan_holds_is_an_output(tmp_path: Path) -> None:
    plan = made_up_result()[0]
    (tmp_path / "plan.json").write_text(json.dumps(plan, allow_nan=False))
    told = outputs({"command": "plan", "report-dir": str(tmp_path)})
    assert told == {"verdict": plan["verdict"], "capacity": f"{int(plan['answer']['level'])}"}


def test_a_command_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match="none of"):
        command_line({"command": "serve", "report-dir": "report"})
