"""The verdict on a run, from its gates, its ledger and the health of the generator; and every exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, Literal

from sendpoll.core.interruption import exit_code, signal_name
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
    HUNG_UP = 129
    """SIGHUP cut it short; so do the next two say, as shells do, of their signals."""
    INTERRUPTED = 130
    TERMINATED = 143


CUT_SHORT: Final = frozenset({ExitCode.HUNG_UP, ExitCode.INTERRUPTED, ExitCode.TERMINATED})
WORDS: Final = {
    ExitCode.PASS: "pass",
    ExitCode.SLO_FAILED: "fail",
    ExitCode.USAGE: "usage",
    ExitCode.INCONCLUSIVE: "inconclusive",
    ExitCode.INVALID: "invalid",
    ExitCode.UNREACHABLE: "unreachable",
    **dict.fromkeys(CUT_SHORT, "interrupted"),
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


def ended_by(number: int) -> ExitCode:
    """What a process ends with that a signal of this number cut short."""
    return ExitCode(exit_code(number))


def cut_short(verdict: RunVerdict, by: int) -> RunVerdict:
    """The verdict on a run that a signal of this number ended before its time, from what it would have been."""
    sentence = f"cut short by {signal_name(by)}, so this is no verdict; by then: {verdict.sentence}"
    return RunVerdict(ended_by(by), sentence, verdict.reasons)


def _reasons(gates: Sequence[Gate]) -> tuple[str, ...]:
    return tuple(f"{gate.objective.text}: {gate.sentence}" for gate in gates)


def _imbalance(ledger: Ledger) -> tuple[str, ...]:
    if ledger.balances:
        return ()
    return (f"the ledger does not balance: {ledger.started:,} tasks started, {ledger.ended:,} were booked",)
