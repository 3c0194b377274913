"""A program that is judged may do what it likes: it is ended in time, and nothing of it is left."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from sendpoll.conformance.client.running.command import Command
from sendpoll.conformance.client.running.program import KEPT_BYTES, End, Job, ProgramError, Ran, Told

TOKEN = "t0ken-of-the-tests"


def job(patience: float = 1.0, endless: threading.Event | None = None) -> Job:
    told = Told("http://127.0.0.1:9", TOKEN, "judged", 'say "näh"\n', None)
    return Job(told, patience, endless or threading.Event(), lambda: 0.0)


def run(program: str, patience: float = 1.0) -> Ran:
    return Command([sys.executable, "-c", program]).run(job(patience))


def running(mark: str) -> list[psutil.Process]:
    """Processes whose command line has the mark."""
    alive = [one for one in psutil.process_iter(["cmdline", "status"]) if one.info["status"] != psutil.STATUS_ZOMBIE]
    return [one for one in alive if any(mark in word for word in one.info["cmdline"] or ())]


def test_what_it_prints_and_its_exit_code_are_kept() -> None:
    ran = run("import sys; print('shown ✓'); print('said', file=sys.stderr); sys.exit(7)", patience=30)
    assert (ran.shown, ran.words, ran.exit_code, ran.end) == ("shown ✓\n", "said\n", 7, End.ITSELF)


def test_it_is_told_all_by_its_environment() -> None:
    program = "import os; print(*(os.environ.get(f'SENDPOLL_{n}') for n in ('URL','TOKEN','WORKSPACE','CONVERSATION')))"
    assert run(program, patience=30).shown == f"http://127.0.0.1:9 {TOKEN} judged None\n"
    assert run("import os; print(ascii(os.environ['SENDPOLL_MESSAGE']))", patience=30).shown == "'say \"n\\xe4h\"\\n'\n"


def test_no_proxy_stands_before_the_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "intranet.example")
    ran = run("import os; print(os.environ['NO_PROXY'])", patience=30)
    assert ran.shown == "intranet.example,127.0.0.1,::1,localhost\n"


def test_one_that_hangs_is_ended() -> None:
    ran = run("import time; time.sleep(600)")
    assert (ran.end, ran.exit_code) == (End.QUIET, None)


def test_one_that_ignores_sigterm_is_ended() -> None:
    ran = run(
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('up', flush=True)\ntime.sleep(600)"
    )
    assert (ran.end, ran.shown) == (End.QUIET, "up\n")


def test_one_that_obeys_sigterm_may_say_goodbye() -> None:
    program = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("goodbye", flush=True), sys.exit()))
print("up", flush=True)
time.sleep(600)
"""
    assert run(program).shown == "up\ngoodbye\n"


def test_one_that_floods_is_ended_and_its_flood_is_not_kept() -> None:
    ran = run("while True: print('x' * 10000)", patience=600)
    assert ran.end is End.FLOOD
    assert len(ran.shown) <= KEPT_BYTES


def test_one_that_is_known_to_be_endless_is_ended() -> None:
    endless = threading.Event()
    endless.set()
    assert Command([sys.executable, "-c", "while True: pass"]).run(job(600, endless)).end is End.ENDLESS


def test_what_it_started_is_ended_with_it() -> None:
    mark = f"mark-{time.monotonic_ns()}"
    program = (
        f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)', '{mark}'])"
    )
    ran = run(program, patience=30)
    assert (ran.end, ran.exit_code, ran.left) == (End.ITSELF, 0, 1)
    assert running(mark) == []


def test_what_it_detached_is_ended_with_it() -> None:
    """In a session of its own, with the pipes in its hands, twice forked."""
    mark = f"mark-{time.monotonic_ns()}"
    program = f"""
import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(600)", "{mark}"])
    os._exit(0)
os.wait()
print("gone", flush=True)
"""
    ran = run(program, patience=30)
    assert (ran.end, ran.shown) == (End.ITSELF, "gone\n")
    assert running(mark) == []


def test_closing_ends_what_goes_on() -> None:
    command = Command([sys.executable, "-c", "import time; time.sleep(600)"])
    found: list[Ran] = []
    thread = threading.Thread(target=lambda: found.append(command.run(job(600))))
    thread.start()
    command.close()
    thread.join(60)
    assert [ran.end for ran in found] == [End.LATE]


def test_what_cannot_be_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match="nosuch is no program that can be run here"):
        Command(["nosuch"])
    broken = tmp_path / "client"
    broken.write_bytes(b"\x7fELF")
    broken.chmod(0o755)
    with pytest.raises(ProgramError, match="client: "):
        Command([str(broken)]).run(job())
