from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks import memory


def test_finished_tasks_leave_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The short version of the benchmark: a tenth of the tasks, a fifth of the room."""
    monkeypatch.setattr(memory, "WARM_UP", 300)
    assert memory.measure(tmp_path / "memory.sqlite3", tasks=1000, chunks=30).added < memory.MOST_MEGABYTES / 5
