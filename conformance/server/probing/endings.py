"""What ends a run, or a part of it, before it is done."""

from __future__ import annotations


class RunOverError(Exception):
    """The run's deadline has passed, or would before an answer can be had: nothing more is sent."""


class NoTimeError(RunOverError):
    """A task that began now would not be over before the deadline; what needs no task may still be sent."""


class TargetLostError(Exception):
    """The target answered before and cannot be used any more; the message says why."""


class BudgetSpentError(Exception):
    """No further message may be sent in this run."""
