from __future__ import annotations

import errno
import json
import tracemalloc
from pathlib import Path

import pytest

from sendpoll.core.text.secrets import Redactor
from sendpoll.load.measure.metrics import Metrics
from sendpoll.load.measure.slo import ServiceLevel
from sendpoll.load.report.tasks import TaskLog, task_lines
from tests.load.made_up import record


def test_each_task_is_a_line_and_none_holds_the_secret() -> None:
    records = [record(user=7), record(error="got very-secret-token\nand more")]
    first, second = map(json.loads, task_lines(iter(records), Redactor(["very-secret-token"])))
    assert first == record(user=7).as_json()
    assert first["outcome"] == "finished"
    assert first["task_s"] == 4.0
    assert second["error"] == "got [token]\nand more"


def test_a_log_is_kept_on_disk_without_a_name_and_read_when_the_run_is_over(tmp_path: Path) -> None:
    with TaskLog(tmp_path, {"very-secret-token": "[token]"}) as log:
        log.add([record(user=1)])
        log.add([record(user=2, error="very-secret-token")])
        assert list(tmp_path.iterdir()) == []
        for _ in range(2):
            first, second = map(json.loads, log.lines())
            assert (first["user"], second["user"], second["error"]) == (1, 2, "[token]")


def test_nothing_is_kept_where_nobody_will_read_it() -> None:
    with TaskLog(None, {}) as log:
        log.add([record()])
        assert list(log.lines()) == []


def test_a_full_disk_ends_no_run_and_is_told_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with TaskLog(tmp_path, {}) as log:
        assert log._file is not None

        def full(_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(log._file, "writelines", full)
        log.add([record()])
        monkeypatch.undo()
        log.add([record()])
        with pytest.raises(OSError, match="No space left"):
            list(log.lines())


def test_a_long_run_takes_no_more_memory_than_a_short_one(tmp_path: Path) -> None:
    """Ten thousand tasks an hour after the first five thousand: what is kept of each is on disk."""
    metrics = Metrics(ServiceLevel.parse(["ttfe p95 <= 2s", "errors <= 1%"]))
    with TaskLog(tmp_path, {"a-secret": "[token]"}) as log:

        def go_on(seconds: range) -> None:
            for second in seconds:
                for user in range(10):
                    metrics.started()
                    metrics.task(record(user=user, scheduled_at=float(second), ended_at=second + 3.7))
                metrics.tick(second + 1, 10)
                log.add(metrics.take_records())
                metrics.forgive()

        tracemalloc.start()
        try:
            go_on(range(1200))
            before, _ = tracemalloc.get_traced_memory()
            go_on(range(1200, 2200))
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert (after - before) / 10_000 < 60
        assert sum(1 for _ in log.lines()) == 22_000
