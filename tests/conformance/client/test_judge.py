"""How verdicts come about: the control, what never happened, what does not apply."""

from __future__ import annotations

from sendpoll.conformance.client.judging.judge import by_row, judge
from sendpoll.conformance.client.judging.observation import Observation
from sendpoll.conformance.client.judging.rows import OWN
from sendpoll.conformance.client.judging.traffic import ALL_TRAFFIC
from sendpoll.conformance.rules.verdict import Verdict, join
from sendpoll.schemas.catalogue import Subject, load_catalogue
from tests.conformance.client.observations import observed, poll, ran, situation

RESET = """
title: a poll is reset
judges: [C-24]
expect: answer
task: {events: ["alpha,", "beta."]}
faults: [{at: poll 2, end: reset}]
"""


def verdict(row: str, *observations: Observation) -> Verdict:
    return join(one.verdict for one in by_row(judge(observations)).get(row, []))


def control(shown: str = "alpha,beta.") -> Observation:
    return observed(poll(0, 2), runs=(ran(shown),))


def reset(shown: str, met: frozenset[int] = frozenset({0})) -> Observation:
    return observed(poll(0, 2), told=situation(RESET, "reset"), runs=(ran(shown),), met=met)


def test_a_row_passes_and_fails_by_its_situation() -> None:
    assert verdict("C-24", control(), reset("alpha,beta.")) is Verdict.PASS
    assert verdict("C-24", control(), reset("alpha,")) is Verdict.FAIL


def test_what_the_control_does_not_show_says_nothing_elsewhere() -> None:
    assert verdict("C-1", control("alpha,"), reset("alpha,")) is Verdict.FAIL
    assert verdict("C-24", control("alpha,"), reset("alpha,")) is Verdict.INCONCLUSIVE


def test_what_never_happened_is_not_exercised() -> None:
    (one,) = by_row(judge([control(), reset("alpha,", met=frozenset())]))["C-24"]
    assert (one.verdict, one.reason) == (Verdict.NOT_EXERCISED, "it ended before it happened that a poll is reset")


def test_a_coding_that_was_not_offered_does_not_apply() -> None:
    coded = situation("title: coded\njudges: [C-36]\nexpect: answer\ntask: {events: ['alpha,', 'beta.']}\n", "coded")
    assert verdict("C-36", control(), observed(poll(0, 2), told=coded)) is Verdict.NOT_APPLICABLE
    assert verdict("C-36", control(), observed(poll(0, 2), told=coded, coded=True)) is Verdict.PASS


def test_what_this_machine_cannot_play_does_not_apply() -> None:
    told = situation("title: six\njudges: [C-39]\nexpect: answer\nhost: '::1'\n", "six")
    assert verdict("C-39", control(), observed(told=told, impossible="no IPv6")) is Verdict.NOT_APPLICABLE


def test_a_server_that_was_not_reached_is_a_failure_where_the_control_was() -> None:
    told = situation("title: six\njudges: [C-39]\nexpect: answer\nhost: '::1'\n", "six")
    assert verdict("C-39", control(), observed(told=told, runs=(ran("", code=1),))) is Verdict.FAIL


def test_judges_are_of_rows_that_there_are() -> None:
    assert {*OWN, *ALL_TRAFFIC} <= {row.id for row in load_catalogue(Subject.CLIENT).checked}
