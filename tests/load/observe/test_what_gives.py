"""On a server that gives in one way, the sentence names that; on a sound one, nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.load.observe.runs import GIVES, limited, named, watched


@pytest.mark.parametrize("kind", GIVES)
def test_the_resource_that_gives_is_named(kind: str, tmp_path: Path) -> None:
    observed = watched(kind, tmp_path)
    assert named(observed) == GIVES[kind], observed["sentence"]
    assert observed["problems"] == []
    assert all(len(figure["values"]) == len(observed["t"]) for figure in observed["figures"])


def told(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sendpoll.cli.main", "load", "--token", "x", *arguments]
    return subprocess.run(command, check=False, timeout=60, capture_output=True, text=True)


def test_what_cannot_be_watched_is_refused_before_the_load() -> None:
    with limited("sound") as server:
        page = told(server.url, "--observe", server.url.replace("//", "//name:secret@") + "/nothing")
        process = told(server.url, "--observe-pid", "4194304")
    word = told("--observe", "nothing")
    assert (page.returncode, process.returncode, word.returncode) == (2, 2, 2)
    assert "--observe http://" in page.stderr
    assert "/nothing: it answers 404, not the text that Prometheus scrapes" in " ".join(page.stderr.split())
    assert "secret" not in page.stderr
    assert "there is no process 4194304" in process.stderr
    assert "give the page that Prometheus would scrape" in " ".join(word.stderr.split())


def test_a_page_that_is_away_ends_no_run(tmp_path: Path) -> None:
    with limited("sound") as server:
        shape = ["--users", "1", "--duration", "2s", "--report-dir", str(tmp_path)]
        done = told(server.url, "--observe", "http://127.0.0.1:9/metrics", *shape)
    assert "it does not answer (ConnectError)" in " ".join(done.stdout.split())
    assert (tmp_path / "result.json").exists()
