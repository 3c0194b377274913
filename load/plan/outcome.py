"""How a plan can end, and what that means for whoever asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sendpoll.load.plan.judge import Assessment
from sendpoll.load.results.verdict import ExitCode


class End(StrEnum):
    """Why the search stopped."""

    CONVERGED = "converged"
    MAX_USERS_REACHED = "max_users_reached"
    BUDGET = "budget"
    GENERATOR_BOUND = "generator_bound"
    SLO_UNREACHABLE = "slo_unreachable"
    TARGET_UNHEALTHY = "target_unhealthy"
    INTERRUPTED = "interrupted"
    """Somebody stopped it."""


EXIT_CODES: Final[Mapping[End, ExitCode]] = {
    End.CONVERGED: ExitCode.PASS,
    End.MAX_USERS_REACHED: ExitCode.PASS,
    End.BUDGET: ExitCode.INCONCLUSIVE,
    End.GENERATOR_BOUND: ExitCode.INVALID,
    End.SLO_UNREACHABLE: ExitCode.SLO_FAILED,
    End.TARGET_UNHEALTHY: ExitCode.UNREACHABLE,
    End.INTERRUPTED: ExitCode.INCONCLUSIVE,
}
"""What each end means where no number of users was required."""


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What the search came to; the steps are in its observations."""

    end: End
    because: str
    """The end in a clause, without the answer."""
    assessments: tuple[Assessment, ...]
    """Every step with its verdict at the time, in order; the invalid ones too."""
    recommended: float | None = None
    """The level that was confirmed, or that would have been; None where there is none."""
    confirmed: bool = False
    non_monotonic: tuple[float, float] | None = None
    """A level that failed and a higher one that passed."""
    recovery_s: float | None = None
    """The longest recovery after a failed step that was seen."""
    warmed_up: bool = False
    """Whether the first step failed, and was not counted since the same level did not when it was held again."""
    recovered: bool = True
    """False where the server had not come back in the time that it was given."""


def exit_code(end: End, low: float, high: float | None, required: float | None) -> ExitCode:
    """What the process ends with. A required level is met or missed whatever the end, as far as the interval tells."""
    if required is None:
        return EXIT_CODES[end]
    if low >= required:
        return ExitCode.PASS
    if end is End.SLO_UNREACHABLE or (high is not None and high < required):
        return ExitCode.SLO_FAILED
    undecided = EXIT_CODES[end]
    return ExitCode.INCONCLUSIVE if undecided is ExitCode.PASS else undecided
