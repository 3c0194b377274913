from __future__ import annotations

from pathlib import Path

from tests.benchmarks.malformed import MOST_ADDED, measure


def test_malformed_requests_are_refused_without_a_word(tmp_path: Path) -> None:
    """The short version of the benchmark."""
    tally = measure(tmp_path, requests=3000, seed=1)
    assert tally.faults == []
    assert tally.log == 0
    assert tally.added < MOST_ADDED
    assert sum(tally.statuses.values()) >= 3000
    assert {"400", "401", "404", "405", "408", "413", "414", "415", "422", "431"} - set(tally.statuses) <= {"408"}
