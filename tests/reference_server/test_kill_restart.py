from __future__ import annotations

from pathlib import Path

from tests.benchmarks.kill_restart import kill_and_restart


def test_a_kill_loses_nothing_that_was_served(tmp_path: Path) -> None:
    """The short version of the benchmark."""
    tally = kill_and_restart(tmp_path / "kill.sqlite3", times=4, seed=1)
    assert tally.faults == []
    assert tally.events_before > 0
    assert tally.cut_tasks > 0
