"""Bad input to every command: exit code 2, the input and the mend named, nothing sent, no traceback."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sendpoll.cli import check as check_module
from sendpoll.cli.main import main

NOWHERE = "http://127.0.0.1:9"
FILES = {
    "broken.yaml": "a: [1\n",
    "list.yaml": "[]\n",
    "unknown.yaml": f"url: {NOWHERE}\ntokn: t\n",
    "variable.yaml": f"url: {NOWHERE}\ntoken: ${{NO_SUCH_VARIABLE}}\n",
    "server.yaml": f"url: {NOWHERE}\ntoken: t\n",
    "empty.json": "{}",
    "scenario.yaml": "users: 3\n",
}


@pytest.fixture(name="folder", autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with files of every wrong kind, in which the command is started."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SENDPOLL_TOKEN", raising=False)
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    """The exit code of a command line."""
    monkeypatch.setattr(sys, "argv", ["sendpoll", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("chekc", "No such command 'chekc'; did you mean check?"),
        ("check --tokn x", "No such option '--tokn'"),
        ("check localhost:8091", "did you mean http://localhost:8091?"),
        ("check ftp://localhost", "'ftp://localhost' is no base URL; give one such as http://localhost:8091"),
        ("check http://127.0.0.1:99999", "has a host or a port that is none"),
        ("check http://user:pass@host", "carries a query, a fragment or a user name; leave them out"),
        (f"check {NOWHERE} --token é", "the token has characters that no header can carry; give it in printable ASCII"),
        (f"check {NOWHERE} --header X-Tenant", "--header 'X-Tenant' has no colon; write it as NAME: VALUE"),
        (
            f"check {NOWHERE} --header Authorization:x",
            "the header Authorization is the suite's own to set; leave it out",
        ),
        ("check --target none.yaml", "File 'none.yaml' does not exist."),
        ("check --target broken.yaml", "broken.yaml is no YAML: line "),
        ("check --target bytes.yaml", "bytes.yaml is written in UTF-16; save it as UTF-8"),
        ("check --target list.yaml", "list.yaml: the file (line 1): is a list; expected a mapping"),
        ("check --target unknown.yaml", "'tokn' is not known here; is it 'token'?"),
        ("check --target variable.yaml", "the environment variable NO_SUCH_VARIABLE is not set; set it"),
        (f"check {NOWHERE} --only POLL-88", "Invalid value for '--only': there is no requirement 'POLL-88'; did you"),
        (f"check {NOWHERE} --seed -1", "Invalid value for '--seed': -1 is not in the range x>=0."),
        (f"check {NOWHERE} --deadline -3", "Invalid value for '--deadline'"),
        (f"check {NOWHERE} --max-messages 0", "Invalid value for '--max-messages'"),
        (f"check {NOWHERE} --prompt loud=X", "write it as KIND=TEXT, KIND being plain, unicode or long"),
        (f"check {NOWHERE} --baseline none.yaml", "none.yaml: No such file or directory; --write-baseline makes one"),
        (f"check {NOWHERE} --baseline broken.yaml", "broken.yaml is no YAML"),
        (f"check {NOWHERE} --report-dir list.yaml", "Directory 'list.yaml' is a file."),
        (f"check {NOWHERE} --report-dir /proc/report", "--report-dir /proc/report: "),
        (f"check {NOWHERE} --write-baseline none/known.yaml", "--write-baseline none: No such file or directory"),
        ("explain POLL-88", "there is no requirement 'POLL-88'; did you mean"),
        ("explain", "Missing argument 'ID'."),
        ("requirements --format xml", "'xml' is not one of 'text', 'json', 'markdown'."),
        ("replay none POLL-1", "Path 'none' does not exist."),
        ("replay broken.yaml POLL-1", "broken.yaml is no JSON"),
        ("replay empty.json POLL-1", "empty.json: the file: "),
        ("serve --port 99999", "--port: 99999 is not between 0 and 65535"),
        ("serve --slots 0", "--slots: 0 is less than 1"),
        ("serve --chunk-interval nan", "--chunk-interval: nan is not a number of seconds from 0"),
        ("serve --cors-origin here", "--cors-origin: an origin is * or scheme and host"),
        ("serve --agent openai", "--openai-base-url: the agent openai needs the http or https URL of its endpoint"),
        ("serve --database bytes.yaml", "bytes.yaml: file is not a database; give another file with --database"),
        ("locustfile --scenario none", "none: no such file; give a path or one of the shipped: "),
        (
            "locustfile --scenario scenario.yaml",
            "scenario.yaml: the file (line 1): 'users' is not known here; known are ",
        ),
        ("doctor --processes -1", "Invalid value for '--processes'"),
        (f"load {NOWHERE} --users 0", "Invalid value for '--users'"),
        (f"load {NOWHERE} --duration soon", "Invalid value for '--duration' / '-t': 'soon' is no time; write a number"),
        (f"load {NOWHERE} --slo fast", "Invalid value for '--slo': 'fast' is no objective; expected METRIC"),
        (f"load {NOWHERE} --scenario broken.yaml", "broken.yaml is no YAML"),
        (f"load {NOWHERE} --arrivals -3/s", "--arrivals '-3/s' is no rate; write messages per time, such as 3/s"),
        (f"load {NOWHERE} --shape arrivals", "--shape arrivals needs --arrivals RATE, such as --arrivals 3/s"),
        (f"plan {NOWHERE} --budget 3", "Invalid value for '--budget': '3' is no time; write a number with its unit"),
        (f"plan {NOWHERE} --require-users 0", "Invalid value for '--require-users'"),
        ("plan nowhere", "did you mean http://nowhere?"),
    ],
)
def test_bad_input_is_named_with_its_mend(
    arguments: str, sentence: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *arguments.split()) == 2
    out, err = capfd.readouterr()
    assert sentence in err
    assert out == ""
    assert "Traceback" not in err


@pytest.fixture(name="taken")
def _taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_port_in_use_is_named(taken: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = ["--host", "127.0.0.1", "--port", str(taken), "--database", ":memory:", "--token", "t"]
    assert run(monkeypatch, "serve", *arguments) == 2
    assert f"cannot listen on 127.0.0.1 port {taken}: Address already in use" in capfd.readouterr().err


def test_a_url_that_is_not_the_target_files_is_told(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        sys, "argv", ["sendpoll", "check", "http://127.0.0.1:8", *["--target", "server.yaml", "--dry-run"]]
    )
    main()
    assert f"Note: http://127.0.0.1:8 is meant, not the url in server.yaml, {NOWHERE}" in capfd.readouterr().err


def test_a_fault_of_ours_is_no_verdict_and_tells_no_token(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("at token-of-the-line, token-of-the-environment, token-of-a-header")

    monkeypatch.setenv("SENDPOLL_SECOND_TOKEN", "token-of-the-environment")
    monkeypatch.setattr(check_module, "SuiteRun", broken)
    arguments = ["--token=token-of-the-line", "--header", "X-Api-Key: token-of-a-header"]
    assert run(monkeypatch, "check", NOWHERE, *arguments) == 4
    err = capfd.readouterr().err
    assert "RuntimeError" in err
    assert "this is a fault of sendpoll itself" in err
    assert "token-of" not in err


@pytest.mark.parametrize("arguments", [["requirements"], ["explain", "POLL-8"], ["check", NOWHERE, "--only", "POLL-8"]])
def test_a_closed_pipe_ends_it_quietly_and_is_no_verdict(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "sendpoll.cli.main", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        told = child.stderr.read()
        assert child.wait(timeout=60) == 141
    assert [line for line in told.splitlines() if not line.startswith("[")] == []


def test_output_that_cannot_be_written_is_told() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no full device")
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "sendpoll.cli.main", "requirements"]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stderr) == (4, "Error: [Errno 28] No space left on device\n")
