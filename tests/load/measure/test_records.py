from __future__ import annotations

from dataclasses import replace

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendpoll.load.measure.records import Ledger, Outcome, Standing, TaskRecord, ViolationRecord
from tests.load.made_up import broken_offset, record

seconds = st.integers(0, 10**9).map(lambda micros: micros / 1e6)
durations = st.none() | seconds
words = st.text(max_size=40)
records = st.builds(
    TaskRecord,
    step=st.integers(0, 1000),
    user=st.integers(0, 10**6),
    scheduled_at=seconds,
    sent_at=seconds,
    ended_at=seconds,
    submit_s=durations,
    ttfe_s=durations,
    ttfe_lower_s=durations,
    stall_s=durations,
    polls=st.integers(0, 10**4),
    empty_polls=st.integers(0, 10**4),
    events=st.integers(0, 10**6),
    bytes=st.integers(0, 10**9),
    status=words,
    outcome=st.sampled_from(Outcome),
    leaver=st.booleans(),
    violations=st.lists(st.tuples(words, words), max_size=4).map(tuple),
    error=words,
)


def through_a_message(original: TaskRecord) -> TaskRecord:
    packed = msgpack.packb(original.to_message(), unicode_errors="surrogatepass")
    return TaskRecord.from_message(msgpack.unpackb(packed, unicode_errors="surrogatepass"))


def rounded(original: TaskRecord) -> TaskRecord:
    """The record as its times look after arithmetic in whole microseconds."""
    times = {name: round(getattr(original, name), 6) for name in ("scheduled_at", "sent_at", "ended_at")}
    return replace(original, **times)


@given(records)
def test_a_record_survives_its_message(original: TaskRecord) -> None:
    assert rounded(through_a_message(original)) == rounded(original)


def test_a_record_takes_less_than_200_bytes_on_the_wire() -> None:
    busy = record(
        user=10**6, scheduled_at=86_400.123456, sent_at=86_400.2, ended_at=87_000.1, polls=5000, bytes=10**8, step=300
    )
    assert len(msgpack.packb(busy.to_message())) < 100
    failed = replace(busy, violations=(("POLL-5", "x" * 20),), error="e" * 60, outcome=Outcome.FAILED)
    assert len(msgpack.packb(failed.to_message())) < 200


def test_long_texts_are_cut_on_the_wire() -> None:
    endless = record(error="e" * 10_000, violations=(("POLL-5", "s" * 10_000),) * 50)
    assert len(msgpack.packb(endless.to_message())) < 1000


def test_only_a_finished_task_has_a_task_time() -> None:
    assert record().task_s == 4.0
    assert record(outcome=Outcome.TIMED_OUT).task_s is None
    assert record(outcome=Outcome.TIMED_OUT).elapsed_s == 4.0


def test_a_violation_survives_its_message() -> None:
    original = broken_offset()
    assert ViolationRecord.from_message(msgpack.unpackb(msgpack.packb(original.to_message()))) == original


@given(st.lists(st.sampled_from(Standing)))
def test_a_ledger_balances_where_each_started_task_was_booked_once(standings: list[Standing]) -> None:
    started = sum(standing is not Standing.DROPPED for standing in standings)
    ledger = Ledger.booked(started, {standing: standings.count(standing) for standing in set(standings)})
    assert ledger.balances
    assert ledger.offered == len(standings)


@pytest.mark.parametrize("off", [1, -1])
def test_a_lost_or_doubled_task_unbalances_the_ledger(off: int) -> None:
    assert not Ledger(started=10 + off, good=7, slow=1, failed=1, timed_out=1).balances


def test_ledgers_add_up() -> None:
    one, other = Ledger(6, 2, 1, 1, 1, 1, 0, 3), Ledger(4, 4)
    assert one + other == Ledger(10, 6, 1, 1, 1, 1, 0, 3)
    assert (one + other).as_json()["balances"] is True
