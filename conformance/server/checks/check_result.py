"""What a check says: which exchanges could have broken its requirement, which did, or why it cannot tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn

from sendpoll.conformance.http.exchange import Exchange
from sendpoll.conformance.rules.tally import Shown, Tally
from sendpoll.conformance.rules.verdict import Verdict


class UnjudgedError(Exception):
    """Ends a check that cannot come to pass or fail."""

    def __init__(self, verdict: Verdict, reason: str) -> None:
        super().__init__(reason)
        self.verdict = verdict
        self.reason = reason


@dataclass(slots=True)
class CheckResult:
    """One check of one requirement while it runs. A check that counts nothing as `exercise` is not exercised."""

    requirement: str
    exercised: int = 0
    violations: list[Shown] = field(default_factory=list)
    unshown: int = 0
    """Violations that were counted and not kept."""

    def exercise(self, count: int = 1) -> None:
        """So many exchanges could have broken the requirement."""
        self.exercised += count

    def violate(self, sentence: str, *exchanges: Exchange) -> None:
        """The requirement is broken, as these exchanges show."""
        self.exercised += 1
        self.violations.append(Shown(sentence, tuple(exchange.trimmed() for exchange in exchanges)))

    def judge(self, sentence: str | None, *exchanges: Exchange) -> None:
        """Broken in the way that the sentence tells, or, where it is None, kept."""
        if sentence is None:
            self.exercise()
        else:
            self.violate(sentence, *exchanges)

    def add(self, tally: Tally) -> None:
        """What all traffic said about the requirement."""
        self.exercised += tally.exercised
        self.violations += tally.violations
        self.unshown += tally.broken - len(tally.violations)

    def not_exercised(self, reason: str) -> NoReturn:
        """Nothing could have broken it; the reason says what to configure."""
        raise UnjudgedError(Verdict.NOT_EXERCISED, reason)

    def not_applicable(self, reason: str) -> NoReturn:
        """It does not concern this target."""
        raise UnjudgedError(Verdict.NOT_APPLICABLE, reason)

    def inconclusive(self, reason: str) -> NoReturn:
        """The control twin failed too, so nothing follows."""
        raise UnjudgedError(Verdict.INCONCLUSIVE, reason)

    @property
    def verdict(self) -> Verdict:
        """What the check came to, if it ran to its end."""
        if self.violations:
            return Verdict.FAIL
        return Verdict.PASS if self.exercised else Verdict.NOT_EXERCISED
