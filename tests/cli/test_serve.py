from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from sendpoll.cli import serve as serve_module
from sendpoll.cli.serve import default_database, serve

PROGRAM = [sys.executable, "-c", "from sendpoll.cli.serve import serve; serve(prog_name='sendpoll serve')"]


@contextlib.contextmanager
def serving(*arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A `sendpoll serve` and what it has printed once it listens."""
    child = subprocess.Popen(
        [*PROGRAM, "--host", "127.0.0.1", "--port", "0", *arguments],
        stdout=subprocess.PIPE, text=True, env={**os.environ, **environment},
    )  # fmt: skip
    assert child.stdout is not None
    with child, child.stdout:
        try:
            lines = []
            for line in child.stdout:
                lines.append(line)
                if line.startswith("Stop"):
                    break
            yield child, "".join(lines)
        finally:
            child.kill()


def url_in(printed: str) -> str:
    found = re.search(r"http://127\.0\.0\.1:\d+", printed)
    assert found, printed
    return found[0]


def test_it_prints_where_it_listens_its_database_and_the_token_that_it_made() -> None:
    with serving("--database", ":memory:", SENDPOLL_TOKENS="") as (_, printed):
        token = re.search(r"Token: +(\S{20,})", printed)
        assert token, printed
        assert "Database:    :memory:" in printed
        answer = httpx.get(f"{url_in(printed)}/api/v1/tasks/x", headers={"authorization": f"Bearer {token[1]}"})
        assert answer.status_code == 404


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [(("--token", "one", "--token", "two"), {"SENDPOLL_TOKENS": "three"}), ((), {"SENDPOLL_TOKENS": "one,two"})],
)
def test_given_tokens_are_used_and_not_printed(arguments: tuple[str, ...], environment: dict[str, str]) -> None:
    with serving("--database", ":memory:", *arguments, **environment) as (_, printed):
        assert "Token" not in printed
        statuses = [
            httpx.get(f"{url_in(printed)}/api/v1/tasks/x", headers={"authorization": f"Bearer {token}"}).status_code
            for token in ("one", "two", "three")
        ]
        assert statuses == [404, 404, 401]


def test_the_default_database_is_in_the_state_folder(tmp_path: Path) -> None:
    with serving(XDG_STATE_HOME=str(tmp_path), SENDPOLL_TOKENS="t") as (_, printed):
        path = tmp_path / "sendpoll" / "reference-server.sqlite3"
        assert f"Database:    {path}" in printed
        assert path.exists()
        assert path.parent.stat().st_mode & 0o077 == 0


def test_without_xdg_the_state_folder_is_in_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", "/home/someone")
    assert default_database() == "/home/someone/.local/state/sendpoll/reference-server.sqlite3"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_code_0_and_tasks_end_with_it(number: signal.Signals, tmp_path: Path) -> None:
    database = str(tmp_path / "a.sqlite3")
    headers = {"authorization": "Bearer t"}
    with serving("--database", database, "--token", "t", "--chunks", "100000") as (child, printed):
        with httpx.Client(base_url=url_in(printed), headers=headers) as api:
            api.post("/api/v1/workspaces", json={"workspace_id": "w"})
            conversation = api.post("/api/v1/workspaces/w/conversations").json()["conversation_id"]
            body = {"conversation_id": conversation, "message": "x"}
            task = api.post("/api/v1/workspaces/w/messages", json=body).json()["task_id"]
            served = api.get(f"/api/v1/tasks/{task}").json()["data"]["events"]
        child.send_signal(number)
        assert child.wait(30) == 0
    with serving("--database", database, "--token", "t") as (_, printed):
        news = httpx.get(f"{url_in(printed)}/api/v1/tasks/{task}", headers=headers).json()["data"]
    assert news["status"] == "failed"
    assert news["events"][: len(served)] == served
    assert [event["type"] for event in news["events"]].count("error") == 1


def test_a_signal_lets_an_answer_in_flight_arrive() -> None:
    """The body of a request comes in slowly while the server is told to stop; its answer comes all the same."""
    with serving("--database", ":memory:", "--token", "t") as (child, printed):
        begun = threading.Event()

        def slowly() -> Iterator[bytes]:
            yield b'{"workspace_id":'
            begun.set()
            time.sleep(1.0)
            yield b'"w"}'

        def stop() -> None:
            begun.wait(20)
            time.sleep(0.3)
            child.send_signal(signal.SIGTERM)

        stopper = threading.Thread(target=stop)
        stopper.start()
        headers = {"authorization": "Bearer t", "content-type": "application/json"}
        answer = httpx.post(f"{url_in(printed)}/api/v1/workspaces", content=slowly(), headers=headers)
        stopper.join()
        assert answer.status_code == 201
        assert child.wait(30) == 0


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (["--slots", "0"], "--slots: 0 is less than 1", 2),
        (["--token", "two words"], "--token: ", 2),
        (["--port", "70000"], "--port: 70000", 2),
        (["--chunk-interval", "-1"], "--chunk-interval: -1", 2),
        (["--agent", "openai"], "--openai-base-url: ", 2),
        (["--agent", "nobody"], "'nobody' is not one of", 2),
        (["--one-task-per", "user"], "'user' is not one of", 2),
        (["--when-busy", "queue"], "--when-busy: ", 2),
        (["--requests-per-second", "0"], "--requests-per-second: ", 2),
        (["--keep-events", "0"], "--keep-events: 0 is less than 1", 2),
        (["--keep-events", "5s"], "--keep-events: 5 s is less than the 10 s", 2),
        (["--keep-events", "some"], "such as 1000, nor a time, such as 10min", 2),
        (["--database", "/proc/nowhere/a"], "--database", 1),
        (["--host", "no.such.host.invalid", "--database", ":memory:"], "no.such.host.invalid", 1),
    ],
)
def test_bad_options_are_named_without_a_traceback(arguments: list[str], words: str, code: int) -> None:
    result = CliRunner().invoke(serve, arguments)
    assert result.exit_code == code
    assert words in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(("given", "kept"), [("1000", (1000, None)), ("10min", (None, 600.0)), ("90s", (None, 90.0))])
def test_limits_become_settings(
    monkeypatch: pytest.MonkeyPatch, given: str, kept: tuple[int | None, float | None]
) -> None:
    seen = []
    monkeypatch.setattr(serve_module, "run", lambda settings, _announce: seen.append(settings))
    limits = ["--one-task-per", "token", "--when-busy", "queue", "--requests-per-second", "2.5", "--keep-events", given]
    result = CliRunner().invoke(serve, ["--token", "t", *limits])
    assert result.exit_code == 0, result.output
    settings = seen[0]
    assert (settings.one_task_per, settings.when_busy, settings.requests_per_second) == ("token", "queue", 2.5)
    assert (settings.keep_events, settings.keep_seconds) == kept


def test_the_key_of_the_upstream_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    given = []
    monkeypatch.setattr(serve_module, "run", lambda settings, _announce: given.append(settings))
    arguments = ["--agent", "openai", "--openai-base-url", "http://x/v1", "--openai-model", "m"]
    result = CliRunner().invoke(serve, arguments, env={"OPENAI_API_KEY": "hush", "SENDPOLL_TOKENS": "t"})
    assert result.exit_code == 0, result.output
    assert given[0].openai_api_key == "hush"
