"""Whole runs on right agents that are slow and scarce: no row is red, and what is left is told how to finish.

The whole table is written by `python -m tests.benchmarks.agents`.
"""

from __future__ import annotations

import pytest

from tests.benchmarks.agents import Cell, is_right, runs

FASTER = 10.0


@pytest.mark.parametrize("cell", [Cell(1, 20.0, "refused"), Cell(2, 60.0, "queued")], ids=lambda cell: cell.beyond)
def test_a_right_agent_is_never_red_and_its_run_can_be_finished(cell: Cell) -> None:
    done = runs(cell, FASTER)

    assert is_right(done), done
    assert all(one.requests <= 2_400 and one.messages <= 16 for one in done), done
