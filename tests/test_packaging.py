"""The distribution: every file is in it, by way of the sdist too, and it lives beside projects with names like ours."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PARTS = ("cli", "conformance", "core", "load", "proxy", "reference_server", "schemas")
HANG_GUARD = 300


def tracked() -> list[Path]:
    """The files of the project, relative to its root: what is under version control or will be."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [Path(line) for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


@pytest.fixture(name="wheel", scope="module")
def _wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that is built from the sdist that is built from a copy of the project."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    for path in tracked():
        copy = source / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((ROOT / path).read_bytes())
    built = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(source)],
        capture_output=True,
        text=True,
        timeout=HANG_GUARD,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    assert len(list(out.glob("*.tar.gz"))) == 1
    (wheel,) = out.glob("*.whl")
    return wheel


@pytest.fixture(name="names", scope="module")
def _names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_every_subpackage_is_listed() -> None:
    found = {path.parent for path in tracked() if path.name == "__init__.py" and path.parts[0] in PARTS}
    listed = PROJECT["tool"]["setuptools"]["packages"]
    assert sorted(listed) == sorted("sendpoll." + ".".join(folder.parts) for folder in found)


def test_every_folder_with_modules_is_a_package() -> None:
    folders = {path.parent for path in tracked() if path.suffix == ".py" and path.parts[0] in PARTS}
    assert [folder for folder in folders if not (ROOT / folder / "__init__.py").is_file()] == []


@pytest.mark.parametrize("part", PARTS)
def test_every_file_is_in_the_wheel(names: set[str], part: str) -> None:
    """Modules, schemas, templates, assets, scenarios and whatever else the packages read."""
    expected = {f"sendpoll/{path.as_posix()}" for path in tracked() if path.parts[0] == part}
    assert f"sendpoll/{part}/py.typed" in expected
    assert expected - names == set()


def test_nothing_else_is_in_the_wheel(names: set[str]) -> None:
    expected = {f"sendpoll/{path.as_posix()}" for path in tracked()}
    assert {name for name in names - expected if ".dist-info/" not in name} == set()


def test_the_wheel_brings_its_licence_and_its_ways_in(wheel: Path, names: set[str]) -> None:
    (info,) = {name.partition("/")[0] for name in names if ".dist-info/" in name}
    assert f"{info}/licenses/LICENSE" in names
    with zipfile.ZipFile(wheel) as archive:
        entries = archive.read(f"{info}/entry_points.txt").decode()
    assert "sendpoll = sendpoll.cli.main:main" in entries
    assert "sendpoll.conformance.server.pytest_options = sendpoll.conformance.server.pytest_options" in entries


@pytest.fixture(name="installed", scope="module")
def _installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Path:
    """A project of somebody else's, with top-level packages that are called as our folders are."""
    for part in PARTS:
        (tmp_path / part).mkdir()
        (tmp_path / part / "__init__.py").write_text("OWNER = 'somebody else'\n")
    return tmp_path


def run(installed: Path, project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python in the project's folder, with the wheel's files in front of whatever this environment has installed."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=HANG_GUARD,
        check=False,
    )


def test_it_lives_beside_a_project_with_the_same_names(installed: Path, project: Path) -> None:
    program = f"""
import importlib, pathlib
for part in {PARTS!r}:
    theirs, ours = importlib.import_module(part), importlib.import_module(f"sendpoll.{{part}}")
    assert theirs.OWNER == "somebody else"
    assert pathlib.Path(ours.__file__).is_relative_to({str(installed)!r}), ours.__file__
"""
    ran = run(installed, project, "-c", program)
    assert ran.returncode == 0, ran.stderr


def test_what_was_built_does_the_main_job(installed: Path, project: Path) -> None:
    """A server is started from the wheel's files, and judged by them."""
    ran = run(installed, project, "-m", "sendpoll.cli.main", "check", "--only", "NF-3", "--report-dir", "report")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert (project / "report" / "report.html").is_file()
