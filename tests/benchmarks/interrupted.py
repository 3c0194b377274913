"""Interrupts commands at random moments: what is left then, how soon, and with which code.

    python -m tests.benchmarks.interrupted [MOMENTS]

Each way to run a command is met by each sequence of signals at so many random moments. Every report must be whole, hold
to its schema and say that the run was cut short; the process must be gone within 5 s with the code of the signal; and
nothing that it started may still run. After SIGKILL there may be no reports, but none that is cut, and nothing runs on.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sendpoll.core.interruption import GRACE_S
from sendpoll.core.reports.files import InvalidFileError, require_schema
from sendpoll.reference_server.embedded import spawned
from sendpoll.reference_server.settings import Settings

TOKEN = "b7Xq-94rT-kk2"
MARK = "SENDPOLL_TEST_RUN"
_GUARD_S = 60.0
_ORPHANS_S = 5.0
"""How long what the command started may outlive it."""


@dataclass(frozen=True)
class Way:
    """One way to run a command, and what it leaves."""

    name: str
    arguments: tuple[str, ...]
    report: str
    schema: str
    files: frozenset[str]
    span: float = 8.0
    """Seconds from its first word within which it is interrupted; it must last longer."""
    has_worker: bool = False


_LOAD_FILES = frozenset({"result.json", "report.html", "junit.xml", "summary.md", "tasks.jsonl"})
_LOAD = ("load", "--users", "6", "--duration", "5min", "--scenario", "smoke")
WAYS = {
    way.name: way
    for way in (
        Way(
            "check",
            ("check", "--deadline", "60"),
            "report.json",
            "report.json",
            frozenset({"report.json", "report.html", "junit.xml", "summary.md", "badge.json"}),
            span=2.0,
        ),
        Way("load", _LOAD, "result.json", "load-result.json", _LOAD_FILES),
        Way("load-processes", (*_LOAD, "--processes", "2"), "result.json", "load-result.json", _LOAD_FILES),
        Way("load-master", (*_LOAD, "--master"), "result.json", "load-result.json", _LOAD_FILES, has_worker=True),
        Way(
            "plan",
            ("plan", "--quick"),
            "plan.json",
            "plan.json",
            frozenset({"plan.json", "plan.html", "junit.xml", "summary.md", "tasks.jsonl"}),
            span=30.0,
        ),
    )
}

Signals = tuple[tuple[signal.Signals, float], ...]
"""Signals, and the seconds to wait before the next."""
SEQUENCES: dict[str, Signals] = {
    "SIGINT": ((signal.SIGINT, 0.0),),
    "SIGTERM": ((signal.SIGTERM, 0.0),),
    "SIGHUP": ((signal.SIGHUP, 0.0),),
    "SIGINT twice": ((signal.SIGINT, 0.3), (signal.SIGINT, 0.0)),
    "CI": ((signal.SIGINT, 7.5), (signal.SIGTERM, 2.5), (signal.SIGKILL, 0.0)),
    "SIGKILL": ((signal.SIGKILL, 0.0),),
}


@dataclass
class Outcome:
    """What came of one interruption."""

    seconds: float = 0.0
    """From the first signal to the end of the process."""
    faults: list[str] = field(default_factory=list)


def interrupt(way: Way, sequence: Signals, moment: float, url: str, folder: Path) -> Outcome:
    """Run the command, interrupt it so many seconds after its first word, and look at everything that is left.

    How long it took is told and no fault: that depends on what else the machine does.
    """
    mark = secrets.token_hex(8)
    outcome = Outcome()
    shared = {"SENDPOLL_TOKEN": TOKEN, "SENDPOLL_CLUSTER_SECRET": "shared-by-both-of-them"}
    environ = {**os.environ, MARK: mark, **shared}
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    extra = ("--master-port", port) if way.has_worker else ()
    log = folder.with_suffix(".log")
    with contextlib.ExitStack() as stack:
        arguments = (*way.arguments, url, *extra, "--report-dir", str(folder))
        command = stack.enter_context(_started(arguments, log, environ))
        companion = None
        if way.has_worker:
            work = ("load", "--worker", "--master-port", port)
            companion = stack.enter_context(_started(work, log.with_suffix(".worker"), environ))
        _await_word(log, "good/s" if way.has_worker else "")  # a worker that never joined goes on looking
        time.sleep(moment)
        began = time.monotonic()
        for number, pause in sequence:
            if command.poll() is None:
                command.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    command.wait(pause)
        code = command.wait(_GUARD_S)
        outcome.seconds = time.monotonic() - began
        _judge_end(outcome, sequence[0][0], code, orphans(mark))
        if companion is not None and sequence[0][0] is signal.SIGKILL and companion.poll() == 0:
            outcome.faults.append("the worker of a killed master ended with 0")
    killed = sequence[0][0] is signal.SIGKILL
    _judge_files(outcome, way, folder, killed=killed)
    if not killed and (folder / way.report).exists():
        told = json.loads((folder / way.report).read_text(encoding="utf-8"))["exit_code"]
        if told != code:
            outcome.faults.append(f"ended with {code} and tells of {told}")
    if sequence[0][0] is not signal.SIGKILL and "ut short by" not in log.read_text(encoding="utf-8"):
        outcome.faults.append("the terminal does not say that it was cut short")
    return outcome


@contextlib.contextmanager
def _started(arguments: Sequence[str], log: Path, environ: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "sendpoll.cli.main", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=environ,
            start_new_session=True,
            preexec_fn=_hear_all_signals,  # noqa: PLW1509 - nothing else runs in this child
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _hear_all_signals() -> None:
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def _await_word(log: Path, word: str) -> None:
    deadline = time.monotonic() + _GUARD_S
    while not log.stat().st_size or word not in log.read_text(encoding="utf-8"):
        assert time.monotonic() < deadline, "it never said what it was to say"
        time.sleep(0.02)


def orphans(mark: str) -> list[int]:
    """What still runs of all that was started under a mark, once it had its time to end."""
    deadline = time.monotonic() + _ORPHANS_S
    while (found := marked(mark)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def marked(mark: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                running = "State:\tZ" not in (entry / "status").read_text(encoding="utf-8")
                if running and f"{MARK}={mark}".encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
    return found


def _judge_end(outcome: Outcome, first: signal.Signals, code: int, orphans: list[int]) -> None:
    if first is not signal.SIGKILL and code != 128 + first:
        outcome.faults.append(f"ended with {code}")
    if orphans:
        outcome.faults.append(f"left running: {orphans}")


def _judge_files(outcome: Outcome, way: Way, folder: Path, *, killed: bool) -> None:
    names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    shown = {name for name in names if not name.startswith(".")}
    if not killed and names != way.files:
        outcome.faults.append(f"files: {sorted(names)}")
    for name in shown & way.files:
        fault = _fault_of(folder / name, way, killed=killed)
        if fault:
            outcome.faults.append(f"{name}: {fault}")


def _fault_of(path: Path, way: Way, *, killed: bool) -> str:
    """Why a file is not whole, or hides that the run was cut short; empty where neither is so."""
    text = path.read_text(encoding="utf-8")
    try:
        if path.name == way.report:
            require_schema(json.loads(text), way.schema, path.name)
        elif path.suffix == ".xml":
            ET.fromstring(text)
        else:
            for line in text.splitlines() if path.suffix == ".jsonl" else [text] if path.suffix == ".json" else []:
                json.loads(line)
    except (ValueError, ET.ParseError, InvalidFileError) as error:
        return str(error)
    if path.suffix == ".html" and not text.rstrip().endswith("</html>"):
        return "it is cut"
    return "" if killed or _TOLD[path.suffix] in text else "it does not say that the run was cut short"


_TOLD = {".json": "", ".jsonl": "", ".html": "ut short by", ".md": "ut short by", ".xml": "<error"}
"""What stands in each kind of file of a run that was cut short; the code in JSON is held against the process's."""


def main() -> None:
    """Interrupt everything, and tell what was found."""
    moments = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    drawn = random.Random(1)
    settings = Settings(tokens=(TOKEN,), port=0, chunk_interval=0.2)
    print(f"{'way':<16}{'signals':<14}{'times':>6}{'faults':>8}{'late':>6}{'slowest':>9}")
    with spawned(settings) as url, tempfile.TemporaryDirectory() as place:
        for way in WAYS.values():
            for name, sequence in SEQUENCES.items():
                outcomes = []
                for number in range(moments):
                    folder = Path(place, f"{way.name}-{name.replace(' ', '-')}-{number}")
                    outcomes.append(interrupt(way, sequence, drawn.uniform(0, way.span), url, folder))
                faults = [fault for outcome in outcomes for fault in outcome.faults]
                slowest = max(outcome.seconds for outcome in outcomes)
                late = sum(outcome.seconds > GRACE_S for outcome in outcomes)
                print(f"{way.name:<16}{name:<14}{moments:>6}{len(faults):>8}{late:>6}{slowest:>8.1f}s", flush=True)
                for fault in faults[:5]:
                    print(f"    {fault}")


if __name__ == "__main__":
    main()
