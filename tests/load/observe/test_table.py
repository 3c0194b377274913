from __future__ import annotations

import math

from sendpoll.load.observe.table import Table


def test_a_long_run_takes_no_more_memory_and_keeps_its_ends() -> None:
    table = Table[str](most=100)
    for second in range(5000):
        table.add(float(second), {"a": float(second)})
    assert len(table.times) <= 100
    assert list(table.columns["a"]) == list(table.times)
    assert table.times[0] == 0.0
    gaps = {after - before for before, after in zip(table.times, table.times[1:], strict=False)}
    assert len(gaps) <= 2
    assert table.times[-1] > 4800


def test_a_column_that_comes_late_has_nothing_before() -> None:
    table = Table[str]()
    table.add(0.0, {"a": 1.0})
    table.add(1.0, {"b": 2.0})
    assert math.isnan(table.columns["b"][0])
    assert math.isnan(table.columns["a"][1])
