"""A library behind an adapter: one process for many runs, and another where it does not come to an end."""

from __future__ import annotations

import sys
import threading

from sendpoll.conformance.client.running.adapter import Adapter
from sendpoll.conformance.client.running.program import End, Job, Ran, Told

PROGRAM = """
import json, os, sys, time
for line in sys.stdin:
    job = json.loads(line)
    def tell(**told):
        print(json.dumps({"run": job["run"], **told}), flush=True)
    {body}
"""


def adapter(body: str) -> Adapter:
    return Adapter([sys.executable, "-c", PROGRAM.replace("{body}", body)])


def run(program: Adapter, patience: float = 30.0, message: str = "hello") -> Ran:
    told = Told("http://127.0.0.1:9", "t0ken", "judged", message, None)
    return program.run(Job(told, patience, threading.Event(), lambda: 0.0))


def test_many_runs_are_one_process() -> None:
    program = adapter("tell(shown=job['message']); tell(shown='!', said=str(os.getpid())); tell(ended=0)")
    first, second = run(program, message="one ✓"), run(program, message="two")
    program.close()
    assert (first.shown, second.shown) == ("one ✓!", "two!")
    assert first.words == second.words
    assert (first.exit_code, first.end) == (0, End.ITSELF)


def test_a_failure_is_told() -> None:
    program = adapter("tell(said='refused: 422'); tell(ended=3)")
    ran = run(program)
    program.close()
    assert (ran.exit_code, ran.words) == (3, "refused: 422")


def test_one_that_hangs_is_replaced() -> None:
    program = adapter("time.sleep(600 if job['message'] == 'hang' else 0); tell(ended=0)")
    assert run(program, patience=2.0, message="hang").end is End.QUIET
    assert run(program).exit_code == 0
    program.close()


def test_what_is_no_line_of_the_protocol_is_told() -> None:
    program = adapter("print('Hello, world', flush=True)")
    ran = run(program)
    program.close()
    assert ran.failed
    assert "which is no JSON line with a run" in ran.words


def test_one_that_dies_has_failed() -> None:
    program = adapter("sys.exit('broken')")
    ran = run(program)
    program.close()
    assert (ran.failed, "broken" in ran.words) == (True, True)
