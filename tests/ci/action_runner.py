"""Runs the steps of a composite action as GitHub's runner does: shell, files, contexts, order."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.ci.expressions import evaluated, interpolated

STEP_SECONDS = 600
_COMMAND = re.compile(r"^\s*::(error|warning) (?:title=([^:]*))?::(.*)$", re.MULTILINE)


@dataclass
class Job:
    """One use of the action in a job, and what came of it."""

    workspace: Path
    temp: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    """What the job's `env` has, and the machine."""
    log: str = ""
    summary: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    artifacts: dict[str, Path] = field(default_factory=dict)
    caches: list[tuple[str, str]] = field(default_factory=list)
    failed: bool = False
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def annotations(self) -> list[tuple[str, str, str]]:
        """Kind, title and message of what the run and the pull request show."""
        return _COMMAND.findall(self.log)


def run_action(action: Path, given: Mapping[str, str], job: Job, *, skip: tuple[str, ...] = ()) -> Job:
    """Run the action at a path with some inputs. Steps whose ids are to be skipped count as done before."""
    described = yaml.safe_load((action / "action.yml").read_text(encoding="utf-8"))
    assert set(given) <= set(described["inputs"]), "the runner warns of inputs that are not there"
    github = {"job": "conformance", "action_path": str(action)}
    contexts: dict[str, Any] = {
        "github": github,
        "runner": {"os": "Linux", "arch": "X64", "temp": str(job.temp)},
        "steps": job.steps,
        "failed": False,
    }
    defaults = {name: str(one.get("default", "")) for name, one in described["inputs"].items()}
    contexts["inputs"] = {name: interpolated(text, contexts) for name, text in defaults.items()} | dict(given)
    for number, step in enumerate(described["runs"]["steps"]):
        contexts["failed"] = job.failed
        condition = str(step.get("if", "success()"))
        if not re.search(r"\b(always|failure|cancelled|success)\(", condition):
            condition = f"success() && ({condition})"
        if not evaluated(condition, contexts):
            continue
        done = step.get("id") in skip or _step(step, number, action, contexts, job)
        job.steps.setdefault(step.get("id", str(number)), {})["outcome"] = "success" if done else "failure"
        job.failed |= not done
    job.outputs = {name: interpolated(one["value"], contexts) for name, one in described["outputs"].items()}
    return job


def _step(step: Mapping[str, Any], number: int, action: Path, contexts: Mapping[str, Any], job: Job) -> bool:
    if "uses" in step:
        settings = {name: interpolated(str(value), contexts) for name, value in step["with"].items()}
        return _use(step["uses"].partition("@")[0], step.get("id", ""), settings, job)
    assert step["shell"] == "bash"  # a composite action has no default
    files = {name: job.temp / f"{name.lower()}_{number}" for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for file in files.values():
        file.write_text("")
    script = job.temp / f"step_{number}.sh"
    script.write_text(interpolated(step["run"], contexts), encoding="utf-8")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/root"),
        **{name: value for name, value in os.environ.items() if name.startswith(("PIP_", "LANG", "SSL_"))},
        **job.environment,
        **{name: interpolated(str(value), contexts) for name, value in step.get("env", {}).items()},
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_ACTION_PATH": str(action),
        "GITHUB_WORKSPACE": str(job.workspace),
        "RUNNER_TEMP": str(job.temp),
        **{name: str(file) for name, file in files.items()},
    }
    ran = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
        cwd=job.workspace,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        timeout=STEP_SECONDS,
        check=False,
    )
    job.log += ran.stdout
    job.summary += files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8")
    told = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text(encoding="utf-8").splitlines())
    job.steps[step.get("id", str(number))] = {"outputs": told, "code": ran.returncode}
    return ran.returncode == 0


def _use(name: str, identifier: str, settings: Mapping[str, str], job: Job) -> bool:
    """What the actions of GitHub's own do that this one uses."""
    if name == "actions/setup-python":
        job.steps[identifier] = {"outputs": {"python-path": sys.executable}}
    elif name == "actions/cache":
        assert Path(settings["path"]).is_absolute()
        job.caches.append((settings["path"], settings["key"]))
    else:
        assert name == "actions/upload-artifact", name
        folder = job.workspace / settings["path"]
        if folder.is_dir():
            kept = job.temp / f"artifact-{settings['name']}"
            shutil.copytree(folder, kept)
            job.artifacts[settings["name"]] = kept
        else:
            assert settings["if-no-files-found"] == "ignore"
    return True
