from __future__ import annotations

from typing import Any

from sendpoll.conformance.reporting import timeline as chart
from sendpoll.conformance.reporting.timeline import timeline
from sendpoll.schemas.contract import JSON
from tests.conformance.reporting.sample import sample_report


def poll(asked: int, events: int, next_offset: int, at: float, reader: str = "r", status: str = "running") -> Any:
    return {
        "reader": reader,
        "asked": asked,
        "at_s": at,
        "took_s": 0.0,
        "status": status,
        "events": events,
        "next_offset": next_offset,
        "text": "",
    }


def task(*polls: JSON) -> Any:
    return {"task_id": "t", "prompt": "plain", "final_status": None, "events": 0, "polls": list(polls)}


def _heights(line: chart.Timeline) -> list[float]:
    unit = (chart.HEIGHT - chart.TOP - chart.BOTTOM) / 4
    return [round((mark.bottom - mark.top) / unit, 2) for mark in line.marks]


def test_each_poll_stands_where_its_events_are() -> None:
    line = timeline(task(poll(0, 3, 3, 0.0), poll(3, 0, 3, 1.0), poll(3, 1, 4, 2.0, status="completed")))
    assert [mark.kind for mark in line.marks] == ["events", "empty", "final"]
    assert _heights(line) == [3.0, 0.0, 1.0]
    assert line.marks[0].bottom == chart.HEIGHT - chart.BOTTOM
    assert line.marks[2].top == chart.TOP
    assert (line.marks[0].x, line.marks[2].x) == (chart.LEFT, chart.WIDTH - chart.RIGHT)


def test_opaque_offsets_are_counted_in_events() -> None:
    line = timeline(task(poll(0, 3, 9000, 0.0), poll(9000, 1, 9777, 1.0)))
    assert _heights(line) == [3.0, 1.0]
    assert [tick.label for tick in line.events] == ["0", "1", "2", "3", "4"]


def test_events_that_come_again_draw_a_saw_tooth() -> None:
    line = timeline(task(poll(0, 2, 2, 0.0), poll(2, 2, 2, 1.0), poll(2, 2, 2, 2.0)))
    ups = [float(point.split(",")[1]) for point in line.readers[0].paths[0].split()]
    assert ups[5] < ups[6]


def test_a_reader_that_starts_again_draws_another_line() -> None:
    line = timeline(task(poll(0, 2, 2, 0.0), poll(2, 1, 3, 0.1), poll(0, 3, 3, 0.2)))
    assert [len(path.split()) for path in line.readers[0].paths] == [6, 3]


def test_a_poll_with_an_offset_that_nobody_gave_out_is_counted_and_not_drawn() -> None:
    line = timeline(task(poll(0, 1, 1, 0.0), poll(77, 5, 82, 1.0)))
    assert len(line.marks) == 1
    assert line.unshown == 1


def test_readers_are_told_apart() -> None:
    line = timeline(task(*(poll(0, 1, 1, float(number), reader=f"r{number}") for number in range(8))))
    assert [reader.style for reader in line.readers] == [0, 1, 2, 3, 4, 5, 0, 1]


def test_every_mark_says_which_poll_it_is() -> None:
    titles = [mark.title for mark in timeline(sample_report()["tasks"][0]).marks]
    assert titles[0].startswith("eager: from=0 brought 3 events (0 to 2), next_offset 3, running, at 0.00 s. chunk 0")
    assert all(title.isprintable() for title in titles)


def test_no_polls_and_polls_of_one_moment_make_a_chart_too() -> None:
    assert timeline(task()).marks == ()
    assert len(timeline(task(poll(0, 0, 0, 5.0), poll(0, 0, 0, 5.0))).marks) == 2


def test_thousands_of_polls_are_bounded() -> None:
    line = timeline(task(*(poll(0, 0, 0, float(number)) for number in range(5000))))
    assert len(line.marks) + line.unshown == 5000
    assert len(line.marks) <= 400
