"""Signals: whole reports of what was seen so far, the code of the signal, and nothing left running.

`python -m tests.benchmarks.interrupted` does this at many moments, for every way and sequence.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sendpoll.core.interruption import SIGNALS, CutShortError, Interruption
from sendpoll.reference_server.embedded import spawned
from sendpoll.reference_server.settings import Settings
from tests.benchmarks.interrupted import SEQUENCES, TOKEN, WAYS, interrupt

_PAIRS = [
    ("check", "SIGTERM"),
    ("check", "SIGINT twice"),
    ("load", "SIGHUP"),
    ("load", "SIGINT twice"),
    ("load-processes", "CI"),
    ("load-processes", "SIGKILL"),
    ("load-master", "SIGINT"),
    ("load-master", "SIGKILL"),
    ("plan", "SIGTERM"),
    ("plan", "SIGKILL"),
]


@pytest.fixture(name="url", scope="module")
def _url() -> Iterator[str]:
    with spawned(Settings(tokens=(TOKEN,), port=0, chunk_interval=0.2)) as url:
        yield url


@pytest.mark.parametrize(("way", "sequence"), _PAIRS)
def test_an_interruption_loses_nothing_and_leaves_nobody(way: str, sequence: str, url: str, tmp_path: Path) -> None:
    moment = random.SystemRandom().uniform(0, min(WAYS[way].span, 5))
    outcome = interrupt(WAYS[way], SEQUENCES[sequence], moment, url, tmp_path / "report")
    assert outcome.faults == [], f"{moment:.2f} s after its first word"


@pytest.fixture(name="_own_signals")
def _fresh_signals() -> Iterator[None]:
    """Signals as a process has them that has just begun, whatever the test makes of them."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_own_signals")
def test_before_the_work_a_signal_is_an_exception() -> None:
    with Interruption() as interruption:
        with pytest.raises(CutShortError, match="SIGTERM"):
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)  # who ends is left in peace
        assert interruption.number == signal.SIGTERM


@pytest.mark.usefixtures("_own_signals")
def test_during_the_work_the_first_signal_cuts_it_short_and_behind_it_none_does() -> None:
    heard: list[int] = []
    with Interruption() as interruption:
        with interruption.during(heard.append):
            signal.raise_signal(signal.SIGHUP)
            signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        with interruption.during(heard.append):
            pass
    assert heard == [signal.SIGHUP, signal.SIGHUP]


@pytest.mark.usefixtures("_own_signals")
def test_a_signal_between_two_pieces_of_work_cuts_the_second_short() -> None:
    heard: list[int] = []
    with Interruption() as interruption:
        with interruption.during(heard.append):
            pass
        signal.raise_signal(signal.SIGTERM)
        assert interruption.number is None
        with interruption.during(heard.append):
            pass
    assert heard == [signal.SIGTERM]


@pytest.mark.usefixtures("_own_signals")
def test_what_must_be_done_as_a_whole_is_done_before_a_signal_is_heard() -> None:
    done: list[str] = []

    def work(interruption: Interruption) -> None:
        with interruption.whole():
            signal.raise_signal(signal.SIGINT)
            done.append("all of it")

    with Interruption() as interruption, pytest.raises(CutShortError, match="SIGINT"):
        work(interruption)
    assert done == ["all of it"]


@pytest.mark.usefixtures("_own_signals")
def test_behind_what_is_done_as_a_whole_a_signal_is_an_exception_again() -> None:
    with Interruption() as interruption:
        with interruption.whole():
            pass
        with pytest.raises(CutShortError, match="SIGINT"):
            signal.raise_signal(signal.SIGINT)


def test_signals_that_were_ignored_stay_ignored() -> None:
    program = """
import signal
from sendpoll.core.interruption import Interruption
with Interruption() as interruption, interruption.during(print):
    signal.raise_signal(signal.SIGHUP)
"""
    done = subprocess.run(["nohup", sys.executable, "-c", program], capture_output=True, timeout=60, check=True)
    assert done.stdout == b""
