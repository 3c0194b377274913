from __future__ import annotations

import pytest

from sendpoll.load.measure.records import Outcome, TaskRecord
from sendpoll.load.plan.refused import refused_in
from sendpoll.load.plan.steps import Hold, Purpose, Step
from tests.load.made_up import record


def step_of(*records: TaskRecord) -> Step:
    return Step(1, Hold(8, Purpose.LADDER, 10, 1, 10, 5, 5), 0.0, 10.0, 12.0, records)


def refused(status: int) -> TaskRecord:
    return record(outcome=Outcome.REFUSED, refusals=1, refused_with=status, error=f"status {status}")


@pytest.mark.parametrize(
    ("records", "is_limit"),
    [
        ([refused(429)] * 3, True),
        ([refused(409), refused(423)], True),
        ([refused(503)] * 3, False),
        ([refused(429), *[record(outcome=Outcome.FAILED)] * 3], False),
    ],
)
def test_a_limit_of_the_service_is_not_multiplied_by_replicas(records: list[TaskRecord], is_limit: bool) -> None:
    found = refused_in([step_of(*records, record())])
    assert found is not None
    assert found.is_limit is is_limit
    assert ("replicas do not raise" in found.sentence) is is_limit


def test_refusals_are_named_with_their_reasons() -> None:
    found = refused_in([step_of(refused(429), refused(429), record()), step_of(refused(503))])
    assert found is not None
    assert found.sentence.startswith("3 of 4 tasks were refused (429 too many requests, 503 overloaded or away)")


def test_where_nothing_was_refused_nothing_is_said() -> None:
    assert refused_in([step_of(record(), record(outcome=Outcome.FAILED))]) is None
