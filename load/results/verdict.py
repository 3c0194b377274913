"""The verdict on a run, from its gates, its ledger and the health of the generator; and every exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, Literal

from sendpoll.load.measure.objective_rule import Decision
from sendpoll.load.measure.records import Ledger
from sendpoll.load.results.gates import Gate

InconclusiveAs = Literal["inconclusive", "pass", "fail"]


class ExitCode(IntEnum):
    """What the process that held the load, or planned it, ends with."""

    PASS = 0
    SLO_FAILED = 1
    USAGE = 2
    INCONCLUSIVE = 3
    INVALID = 4
    """The generator was late or lost something: what was measured is not the server."""
    UNREACHABLE = 5


WORDS: Final = {
    ExitCode.PASS: "pass",
    ExitCode.SLO_FAILED: "fail",
    ExitCode.USAGE: "usage",
    ExitCode.INCONCLUSIVE: "inconclusive",
    ExitCode.INVALID: "invalid",
    ExitCode.UNREACHABLE: "unreachable",
}


@dataclass(frozen=True, slots=True)
class RunVerdict:
    """What a run came to."""

    code: ExitCode
    sentence: str
    reasons: tuple[str, ...] = ()
    """One sentence each: the failed or open gates, or what made the run invalid."""

    @property
    def word(self) -> str:
        """The verdict in a word, as reports write it."""
        return WORDS[self.code]

    def as_json(self) -> dict[str, Any]:
        """The verdict as reports write it."""
        return {"verdict": self.word, "sentence": self.sentence, "reasons": list(self.reasons)}


def verdict_of(
    gates: Sequence[Gate],
    ledger: Ledger,
    problems: Sequence[str] = (),
    unreachable: str | None = None,
    inconclusive: InconclusiveAs = "inconclusive",
) -> RunVerdict:
    """Decide a run.

    `problems` says why the generator cannot be trusted, a sentence each; `unreachable` why no exchange succeeded.
    A late generator makes latencies meaningless, so its run is invalid and never failed, with one exception: a broken
    requirement is broken whoever was late. `inconclusive` says what open gates are to count as.
    """
    if unreachable is not None:
        return RunVerdict(ExitCode.UNREACHABLE, f"the target cannot be reached: {unreachable}")
    doubts = [*problems, *_imbalance(ledger)]
    failed = [gate for gate in gates if gate.verdict is Decision.FAIL]
    broken = [gate for gate in failed if gate.objective.metric == "violations" and ledger.ended]
    if doubts and not broken:
        return RunVerdict(ExitCode.INVALID, "the run says nothing about the server", tuple(doubts))
    if doubts:
        reasons = (*_reasons(broken), *doubts)
        return RunVerdict(ExitCode.SLO_FAILED, "requirements were broken; the latencies are invalid besides", reasons)
    undecided = [gate for gate in gates if gate.verdict is Decision.INCONCLUSIVE]
    if inconclusive == "fail":
        failed, undecided = [*failed, *undecided], []
    if failed:
        sentence = f"{len(failed)} of {len(gates)} objectives failed"
        return RunVerdict(ExitCode.SLO_FAILED, sentence, (*_reasons(failed), *_reasons(undecided)))
    if undecided and inconclusive == "inconclusive":
        sentence = f"{len(undecided)} of {len(gates)} objectives could not be decided"
        return RunVerdict(ExitCode.INCONCLUSIVE, sentence, _reasons(undecided))
    kept = len(gates) - len(undecided)
    sentence = f"{'all ' if not undecided else ''}{kept} objective{'s' if kept != 1 else ''} met"
    return RunVerdict(ExitCode.PASS, sentence, _reasons(undecided))


def _reasons(gates: Sequence[Gate]) -> tuple[str, ...]:
    return tuple(f"{gate.objective.text}: {gate.sentence}" for gate in gates)


def _imbalance(ledger: Ledger) -> tuple[str, ...]:
    if ledger.balances:
        return ()
    return (f"the ledger does not balance: {ledger.started:,} tasks started, {ledger.ended:,} were booked",)
