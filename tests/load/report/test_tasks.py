from __future__ import annotations

import json
from pathlib import Path

from sendpoll.core.text.redaction import Redactor
from sendpoll.load.report.tasks import write_tasks
from tests.load.made_up import record


def test_each_task_is_a_line_and_none_holds_the_secret(tmp_path: Path) -> None:
    path = tmp_path / "tasks.jsonl"
    records = [record(user=7), record(error="got very-secret-token\nand more")]
    write_tasks(iter(records), path, Redactor(["very-secret-token"]))
    first, second = (json.loads(line) for line in path.read_text("utf-8").splitlines())
    assert first == record(user=7).as_json()
    assert first["outcome"] == "finished"
    assert first["task_s"] == 4.0
    assert second["error"] == "got [token]\nand more"
