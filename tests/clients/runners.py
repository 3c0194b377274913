"""The published clients as programs that a user runs: which there are, whether this machine has what they need, a run.

outcome = run_client("node", server.url, token, "你好", deadline=60)
assert outcome.answer == rendering("node", ["你", "好"])
"""

from __future__ import annotations

import atexit
import functools
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from sendpoll.conformance.client.running.chromium import executable
from tests.clients import page_visits
from tests.clients.fetch_dart import DartError, dart_path
from tests.clients.fetch_dart import version as dart_version

HERE = Path(__file__).parent
_TICK = 0.05


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run left behind. The browser's console counts as standard output, a line a message."""

    stdout: str
    stderr: str
    exit_code: int
    """The browser's is 0 if its page ran to the end of its loop, else 1."""
    timed_out: bool
    """It did not end by itself: it was out of time, or was stopped as proven endless."""
    seconds: float
    answer: str
    """The task's text as this client showed it, without what else the client prints."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a run may be told beyond the server, the token and the message."""

    workspace: str = "ws1"
    stop: threading.Event = field(default_factory=threading.Event)
    """Ends the run when it is set: for whoever can prove sooner than the deadline that it will not end."""
    request_limit: int = sys.maxsize
    """Of the browser, whose cache can keep it busy without any server seeing it."""
    environment: Mapping[str, str] = field(default_factory=dict)


class UnavailableError(Exception):
    """This machine cannot run that client; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Client:
    """One of the published clients."""

    name: str
    letter: str
    """As in the catalogue's `breaks`: C P N B D."""
    needs: Callable[[], str]
    """Why it cannot run here; empty if it can."""
    command: Callable[[], list[str]] | None = None
    """None of the browser."""
    environment: Mapping[str, str] = field(default_factory=dict)
    a_line_a_chunk: bool = False
    """Whether it prints each chunk as a line of its own rather than joining them."""
    before: str = ""
    """The last line that it prints before the text begins with these characters; without any, the text comes first."""
    after: str = ""
    """What follows the text begins with these characters; without any, nothing does."""


def _has(program: str) -> str:
    return "" if shutil.which(program) else f"{program} is not installed"


def _lacks_curl() -> str:
    return _has("bash") or _has("curl")


def _lacks_requests() -> str:
    return "" if importlib.util.find_spec("requests") else "requests is not installed (pip install requests)"


def _lacks_chromium() -> str:
    if importlib.util.find_spec("playwright") is None:
        return "playwright is not installed (pip install playwright; it brings no browser)"
    return "" if executable() else "no Chromium is installed (Debian: chromium), and SENDPOLL_CHROMIUM names none"


@functools.cache
def _lacks_dart() -> str:
    try:
        dart_version(dart_path())
    except DartError as why:
        return str(why)
    return ""


@functools.cache
def _compiled_dart() -> str:
    """The Dart client as the VM's own intermediate code: compiled once, where every run would cost a second."""
    folder = tempfile.mkdtemp(prefix="sendpoll-dart-")
    atexit.register(shutil.rmtree, folder)
    compiled = Path(folder, "client.dill")
    subprocess.run(
        [dart_path(), "--snapshot-kind=kernel", f"--snapshot={compiled}", HERE / "client.dart"],
        check=True,
        capture_output=True,
        timeout=120,
    )
    return str(compiled)


_dart_lock = threading.Lock()


def _dart_command() -> list[str]:
    with _dart_lock:
        return [str(dart_path()), _compiled_dart()]


CLIENTS: Mapping[str, Client] = {
    client.name: client
    for client in (
        Client(
            "curl",
            "C",
            needs=_lacks_curl,
            command=lambda: ["bash", str(HERE / "client.sh")],
            before="TASK=",
            after="\nstatus=",
        ),
        Client(
            "python",
            "P",
            needs=_lacks_requests,
            command=lambda: [sys.executable, str(HERE / "client.py")],
            after="\nstatus: ",
        ),
        Client("node", "N", needs=lambda: _has("node"), command=lambda: ["node", str(HERE / "client.mjs")]),
        Client("browser", "B", needs=_lacks_chromium, a_line_a_chunk=True),
        Client("browser_file", "B", needs=_lacks_chromium, a_line_a_chunk=True),
        Client("dart", "D", needs=_lacks_dart, command=_dart_command, a_line_a_chunk=True),
        Client(
            "dart_http_1_3",
            "D",
            needs=_lacks_dart,
            command=_dart_command,
            environment={"SENDPOLL_DART_HTTP": "http_1_3"},
            a_line_a_chunk=True,
        ),
    )
}
"""`browser` is a page of another http origin, `browser_file` one from file://; Dart comes with two eras of http."""


def unavailable(name: str) -> str:
    """Why that client cannot run here; empty if it can."""
    return CLIENTS[name].needs()


def clients_are_required() -> bool:
    """Whether a client that cannot run is a failure rather than a skip, as in continuous integration."""
    return os.environ.get("SENDPOLL_REQUIRE_CLIENTS") == "1"


def rendering(name: str, chunks: Iterable[str]) -> str:
    """The text of those chunks as that client shows it."""
    end = "\n" if CLIENTS[name].a_line_a_chunk else ""
    return "".join(chunk + end for chunk in chunks)


def run_client(
    name: str,
    base_url: str,
    token: str,
    message: str,
    deadline: float,
    options: Options | None = None,
) -> Outcome:
    """Run one client against a server until it ends, or for `deadline` seconds. Raises UnavailableError."""
    client, options = CLIENTS[name], options or Options()
    if why := client.needs():
        raise UnavailableError(f"{name}: {why}")
    told = {"url": base_url, "token": token, "workspace": options.workspace, "message": message}
    if client.command is None:
        return _visit(client, told, deadline, options)
    variables = {f"SENDPOLL_{key.upper()}": value for key, value in told.items()}
    return _run(client, {**variables, **options.environment}, deadline, options.stop)


def _visit(client: Client, told: dict[str, str], deadline: float, options: Options) -> Outcome:
    visit = page_visits.Visit(told, client.name == "browser_file", deadline, options.stop, options.request_limit)
    seen = page_visits.shared().visit(visit)
    stdout = "".join(line + "\n" for line in seen.console)
    stderr = "".join(line + "\n" for line in (*seen.complaints, *seen.errors))
    return Outcome(stdout, stderr, 0 if seen.ended else 1, seen.timed_out, seen.seconds, stdout)


def _run(client: Client, variables: Mapping[str, str], deadline: float, stop: threading.Event) -> Outcome:
    assert client.command is not None
    environment = {**_environment(), **variables, **client.environment}
    started = time.monotonic()
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        with subprocess.Popen(
            client.command(),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=environment,
            start_new_session=True,
        ) as process:
            timed_out = not _ends(process, started + deadline, stop)
        seconds = time.monotonic() - started
        said, complained = _text(stdout), _text(stderr)
    return Outcome(said, complained, process.returncode, timed_out, seconds, _answer(client, said))


def _environment() -> dict[str, str]:
    """A user's, without what could change a run: proxies, start-up files, another locale."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    return {"PATH": path, "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}


def _ends(process: subprocess.Popen[bytes], until: float, stop: threading.Event) -> bool:
    while True:
        try:
            process.wait(_TICK)
        except subprocess.TimeoutExpired:
            if time.monotonic() < until and not stop.is_set():
                continue
            os.killpg(process.pid, signal.SIGKILL)  # curl and python3 run under bash
            process.wait()
            return False
        return True


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")


def _answer(client: Client, stdout: str) -> str:
    text = stdout
    if client.before:
        _, found, rest = f"\n{text}".partition(f"\n{client.before}")
        text = rest.partition("\n")[2] if found else ""
    if client.after:
        text = text.rpartition(client.after)[0] or text
    return text
