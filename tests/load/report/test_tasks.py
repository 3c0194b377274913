from __future__ import annotations

import json

from sendpoll.core.text.secrets import Redactor
from sendpoll.load.report.tasks import task_lines
from tests.load.made_up import record


def test_each_task_is_a_line_and_none_holds_the_secret() -> None:
    records = [record(user=7), record(error="got very-secret-token\nand more")]
    first, second = map(json.loads, task_lines(iter(records), Redactor(["very-secret-token"])))
    assert first == record(user=7).as_json()
    assert first["outcome"] == "finished"
    assert first["task_s"] == 4.0
    assert second["error"] == "got [token]\nand more"
