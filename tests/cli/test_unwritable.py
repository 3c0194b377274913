"""Where a report cannot be written: the result is printed, the other files are whole, and the code says so."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sendpoll.reference_server.embedded import spawned
from sendpoll.reference_server.settings import Settings
from tests.benchmarks.interrupted import WAYS

TOKEN = "b7Xq-94rT-kk2"
_GUARD_S = 240
_RUNS = {
    "check": ("check", "--only", "NF-3", "--only", "POLL-8"),
    "load": ("load", "--users", "2", "--duration", "2s"),
}
_PRINTED = {"check": "SUMMARY", "load": "Objectives"}
_MOUNT = ("unshare", "--mount", "--map-root-user", "--user")


@pytest.fixture(name="url", scope="module")
def _url() -> Iterator[str]:
    with spawned(Settings(tokens=(TOKEN,), port=0, chunk_interval=0.02)) as url:
        yield url


def started(
    name: str, url: str, folder: Path, *, file_size: int | None = None, before: tuple[str, ...] = ()
) -> subprocess.Popen[str]:
    def limit() -> None:
        if file_size is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))

    command = [*before, sys.executable, "-m", "sendpoll.cli.main", *_RUNS[name], url, "--report-dir", str(folder)]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "SENDPOLL_TOKEN": TOKEN},
        preexec_fn=limit,  # noqa: PLW1509 - nothing else runs in this child
    )


def assert_told(name: str, process: subprocess.Popen[str], *unwritten: Path) -> None:
    out, err = process.communicate(timeout=_GUARD_S)
    assert _PRINTED[name] in out, err
    assert process.returncode == 4
    assert all(f"{path}: " in err for path in unwritten), err
    assert "Traceback" not in err


@pytest.mark.parametrize("name", _RUNS)
def test_each_file_that_cannot_be_written_is_named_and_the_others_are_whole(
    name: str, url: str, tmp_path: Path
) -> None:
    files = WAYS[name].files
    for file in sorted(files):
        (tmp_path / file).mkdir()
        (tmp_path / file / "in the way").touch()
    assert_told(name, started(name, url, tmp_path), *(tmp_path / file for file in files))
    assert {path.name for path in tmp_path.iterdir()} == files
    first, *others = sorted(files)
    for file in others:
        shutil.rmtree(tmp_path / file)
    assert_told(name, started(name, url, tmp_path), tmp_path / first)
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == set(others)


@pytest.mark.parametrize("name", _RUNS)
def test_a_limit_on_the_size_of_files_leaves_none_that_is_cut(name: str, url: str, tmp_path: Path) -> None:
    assert_told(name, started(name, url, tmp_path, file_size=2048), tmp_path / WAYS[name].report)
    for path in tmp_path.iterdir():
        assert path.stat().st_size < 2048
        assert path.read_text(encoding="utf-8").endswith("\n")
        assert not path.name.startswith(".")


@pytest.mark.parametrize("name", _RUNS)
def test_a_folder_that_vanishes_is_named(name: str, url: str, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    process = started(name, url, folder)
    deadline = time.monotonic() + _GUARD_S
    while not folder.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    if name == "load":
        assert process.stderr is not None
        process.stderr.readline()  # what it is about to do, told once the folder was tried
    while list(folder.iterdir()):  # it is being tried
        time.sleep(0.01)
    folder.rmdir()
    assert_told(name, process, *(folder / file for file in WAYS[name].files))
    assert not folder.exists()


@pytest.mark.skipif(
    subprocess.run([*_MOUNT, "true"], capture_output=True, check=False).returncode != 0,
    reason="nothing may be mounted here",
)
@pytest.mark.parametrize("name", _RUNS)
@pytest.mark.parametrize(("options", "code"), [("size=8k", 4), ("ro", 2)])
def test_a_full_disk_and_a_read_only_one(name: str, options: str, code: int, url: str, tmp_path: Path) -> None:
    mounted = (*_MOUNT, "sh", "-c", f'mount -t tmpfs -o {options} none {tmp_path} && exec "$@"', "sh")
    process = started(name, url, tmp_path, before=mounted)
    out, err = process.communicate(timeout=_GUARD_S)
    assert process.returncode == code, err
    assert str(tmp_path) in err
    assert (_PRINTED[name] in out) is (code == 4)
    assert ("No space left on device" if code == 4 else "Read-only file system") in err
