"""The verdict of each row in each situation, from what was observed. A pure function of observations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sendpoll.conformance.client.judging.expectation import missed
from sendpoll.conformance.client.judging.observation import Misstep, Observation, SituationTally
from sendpoll.conformance.client.judging.rows import OWN, expected
from sendpoll.conformance.client.judging.traffic import ALL_TRAFFIC
from sendpoll.conformance.client.situations.situation import CONTROL
from sendpoll.conformance.rules.verdict import Verdict

_BY_ITS_END_TOO = frozenset({"C-7"})
"""Rows about all traffic that a situation tells of by what the user has in the end, too."""
_CODED = "C-36"
_NO_CODING = "it offers no content coding that could be used"


@dataclass(frozen=True, slots=True)
class Judged:
    """What one situation says of one row."""

    row: str
    situation: str
    verdict: Verdict
    exercised: int
    violations: tuple[Misstep, ...]
    reason: str
    """Why it says neither pass nor fail; empty where it does."""


def judge(observed: Sequence[Observation]) -> list[Judged]:
    """Every verdict that the situations give, in their order."""
    control = next((missed(seen) for seen in observed if seen.situation.name == CONTROL), "it was not played")
    return [verdict for seen in observed for verdict in _verdicts(seen, control)]


def _verdicts(seen: Observation, control: str) -> list[Judged]:
    name, found = seen.situation.name, []
    if seen.impossible:
        return [Judged(row, name, Verdict.NOT_APPLICABLE, 0, (), seen.impossible) for row in seen.situation.judges]
    for row, rule in ALL_TRAFFIC.items():
        if row not in seen.situation.judges or seen.served:
            found.append(_of(row, name, rule(seen)))
    own = [row for row in seen.situation.judges if row not in ALL_TRAFFIC or row in _BY_ITS_END_TOO]
    return [*found, *(_own(row, seen, control) for row in own)]


def _own(row: str, seen: Observation, control: str) -> Judged:
    """A row that the situation is about."""
    name = seen.situation.name
    is_control = name == CONTROL
    if is_control and not seen.served:
        return Judged(row, name, Verdict.NOT_EXERCISED, 0, (), "the client asked the server for nothing")
    if not is_control and control:
        reason = f"in the situation {CONTROL}, where nothing happens, it does no better: {control}"
        return Judged(row, name, Verdict.INCONCLUSIVE, 0, (), reason)
    if len(seen.met) < len(seen.situation.faults):
        return Judged(
            row, name, Verdict.NOT_EXERCISED, 0, (), f"it ended before it happened that {seen.situation.title}"
        )
    if row == _CODED and not seen.coded:
        return Judged(row, name, Verdict.NOT_APPLICABLE, 0, (), _NO_CODING)
    return _of(row, name, OWN.get(row, expected)(seen))


def _of(row: str, situation: str, tally: SituationTally) -> Judged:
    if tally.violations:
        return Judged(row, situation, Verdict.FAIL, tally.exercised, tuple(tally.violations), "")
    if not tally.exercised:
        return Judged(row, situation, Verdict.NOT_EXERCISED, 0, (), "nothing that it sent could have broken this")
    return Judged(row, situation, Verdict.PASS, tally.exercised, (), "")


def by_row(judged: Sequence[Judged]) -> Mapping[str, list[Judged]]:
    """The same by the id of the row."""
    found: dict[str, list[Judged]] = {}
    for one in judged:
        found.setdefault(one.row, []).append(one)
    return found
