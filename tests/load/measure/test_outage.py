from __future__ import annotations

import pytest

from sendpoll.load.measure.objective_rule import Decision
from sendpoll.load.measure.outage import Extent, outage_of
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
        ("xxxxxxxxxx..........xx", (0, 10)),
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


@pytest.mark.parametrize(
    ("text", "extent", "sentence"),
    [
        ("." * 20 + "x" * 9, Extent.TO_THE_END, "no task succeeded any more from 20.0 s on"),
        ("." * 9 + "x" * 9 + "." * 9, Extent.FOR_A_WHILE, "no task succeeded from 9.00 s to 18.0 s"),
        ("x.x" * 8, Extent.MOSTLY, "most tasks failed"),
        ("x" * 9, Extent.TO_THE_END, "no task succeeded any more from 0 s on"),
    ],
)
def test_an_outage_says_of_what_extent_it_was(text: str, extent: Extent, sentence: str) -> None:
    found = outage_of(course(text))
    assert found is not None
    assert (found.extent, found.sentence) == (extent, sentence)


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: f"{server.name}: {server.objective}")
def test_no_broken_server_passes_and_no_sound_one_fails(server: BrokenServer) -> None:
    """A few runs of each; the benchmark makes two hundred."""
    counts = verdicts(server, 8)
    assert not any(is_wrong(server, found) for found in counts)


@pytest.mark.parametrize("name", ["dead for half, at once", "dead for half, hanging", "dead from the start"])
def test_a_server_that_was_dead_for_half_of_the_run_always_fails(name: str) -> None:
    for server in (server for server in SERVERS if server.name == name):
        assert set(verdicts(server, 12)) == {Decision.FAIL}
