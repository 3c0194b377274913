from __future__ import annotations

import pytest

from sendpoll.load.measure.objective_rule import Decision
from sendpoll.load.measure.outage import outage_of
from sendpoll.load.measure.records import Standing
from sendpoll.load.measure.window import Window
from tests.benchmarks.broken_servers import SERVERS, BrokenServer, is_wrong, verdicts


def course(text: str) -> list[Window]:
    """A second a character: `.` two successes, `x` two failures, `b` one of each, a blank nothing."""
    windows = []
    for index, what in enumerate(text):
        window = Window(index, 1, 1, 1)
        window.standings[Standing.GOOD] = {".": 2, "b": 1}.get(what, 0)
        window.standings[Standing.FAILED] = {"x": 2, "b": 1}.get(what, 0)
        windows.append(window)
    return windows


@pytest.mark.parametrize(
    ("text", "outage"),
    [
        ("xxxxxxxxxx..........xx", (0, 22)),
        ("..........xxxxxxxx..........", (10, 18)),
        ("..........xxxx..........", None),
        ("...............xxx", (15, 18)),
        ("...............xx ", None),
        (".......xx......xxx", None),
        (".......xx....xxxxx", (13, 18)),
        ("..............x  ", None),
        ("................b", None),
        ("        ", None),
        ("", None),
    ],
)
def test_an_outage_is_what_chance_does_not_explain(text: str, outage: tuple[float, float] | None) -> None:
    found = outage_of(course(text))
    assert (found and (found.began_at, found.ended_at)) == outage


def test_an_outage_to_the_end_is_told_from_one_that_passed() -> None:
    to_the_end, passed = outage_of(course("." * 20 + "x" * 9)), outage_of(course("." * 9 + "x" * 9 + "." * 9))
    assert to_the_end is not None
    assert to_the_end.at_the_end
    assert to_the_end.failed == 18
    assert passed is not None
    assert not passed.at_the_end


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: f"{server.name}: {server.objective}")
def test_no_broken_server_passes_and_no_sound_one_fails(server: BrokenServer) -> None:
    """A few runs of each; the benchmark makes two hundred."""
    counts = verdicts(server, 8)
    assert not any(is_wrong(server, found) for found in counts)


@pytest.mark.parametrize("name", ["dead for half, at once", "dead for half, hanging", "dead from the start"])
def test_a_server_that_was_dead_for_half_of_the_run_always_fails(name: str) -> None:
    for server in (server for server in SERVERS if server.name == name):
        assert set(verdicts(server, 12)) == {Decision.FAIL}
