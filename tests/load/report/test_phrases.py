from __future__ import annotations

from sendpoll.load.report.phrases import interval, ratio


def test_an_open_end_of_an_interval_is_said() -> None:
    assert interval({"low": 1.0, "high": 2.0}, "s") == "1.00 s to 2.00 s"
    assert interval({"low": 1.0, "high": None}, "s") == "at least 1.00 s"
    assert interval({"low": None, "high": 2.0}, "s") == "at most 2.00 s"
    assert interval({"low": None, "high": None}, "s") == "too few to bound"
    assert interval(None, "s") == ""


def test_a_ratio_is_shown_with_its_interval() -> None:
    assert ratio({"ratio": 1.311, "low": 1.2, "high": None}) == "1.31x (1.20 to –)"
    assert ratio({"ratio": None, "low": None, "high": None}) == "–"
