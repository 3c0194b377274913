"""Who was on the way when the server was restarted, how they fared, and when the first later task was over."""

from __future__ import annotations

from sendpoll.load.measure.records import Outcome, TaskRecord
from sendpoll.load.measure.restart_tally import RestartTally


def record(sent_at: float, ended_at: float, outcome: Outcome = Outcome.FINISHED) -> TaskRecord:
    return TaskRecord(user=1, scheduled_at=sent_at, sent_at=sent_at, ended_at=ended_at, outcome=outcome)


def test_tasks_on_the_way_are_told_from_those_before_and_behind() -> None:
    tally = RestartTally("restart it", 10.0)
    tally.note([record(1, 9), record(5, 12), record(9, 14, Outcome.FAILED), record(8, 40, Outcome.TIMED_OUT)])
    tally.note([record(11, 15, Outcome.FAILED), record(12, 16.5), record(12, 15.5)])
    tally.answered_after_s = 2.0

    told = tally.told()
    assert (told["tasks"], told["outcomes"]) == (3, {"finished": 1, "failed": 1, "timed_out": 1})
    assert (told["answered_after_s"], told["good_task_after_s"]) == (2.0, 5.5)
    assert told["sentence"] == (
        "at 10.0 s the server was restarted, and answered again after 2.00 s: of 3 tasks on the way 1 finished, "
        "1 failed, 1 timed out; the first later one came to its end 5.50 s behind it"
    )


def test_a_server_that_never_comes_back_is_told_of() -> None:
    told = RestartTally("restart it", 10.0).told()
    assert (told["answered_after_s"], told["good_task_after_s"], told["tasks"]) == (None, None, 0)
    assert "did not answer again" in told["sentence"]
