from __future__ import annotations

from typing import Any

from sendpoll.conformance.results.changes import Changes, changes


def report(**verdicts: str) -> Any:
    return {"requirements": [{"id": name, "verdict": verdict} for name, verdict in verdicts.items()]}


def test_what_became_of_each_row() -> None:
    before = report(A="fail", B="pass", C="fail", D="fail", E="pass", F="not_exercised")
    after = report(A="pass", B="fail", C="fail", D="not_exercised", E="pass", F="fail")
    assert changes(before, after) == Changes(mended=("A",), broken=("B", "F"), still=("C",), open=("D",))


def test_a_row_that_the_later_run_did_not_judge_is_not_told() -> None:
    assert changes(report(A="fail", B="fail"), report(B="fail")) == Changes((), (), ("B",), ())


def test_nothing_is_mended_by_a_server_that_is_away() -> None:
    assert changes(report(A="fail"), report(A="inconclusive")).mended == ()
