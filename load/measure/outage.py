"""When a server was not merely unlucky for a while but out of service.

Samples that hang together tell less than as many independent ones, and an interval allows for that. Of a server that
was dead for half of the run the allowance would leave next to nothing: one cluster of failures, one of successes, and
no verdict. So it ends where chance does: where most tasks failed, where for a quarter of the run not one succeeded, or
where none did any more at its end, since a dead server does not come back by waiting for more samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sendpoll.load.measure.records import Standing
from sendpoll.load.measure.window import Window

_LEAST_FAILED: Final = 5
"""In a row: of tasks that fail one in ten by themselves, five do once in 100,000."""
_LONG: Final = 0.25
"""As a share of the run. A server that is out for 1 % of the time, a quarter of the run at once, shows that to fewer
than one run in thirty."""
_LONG_AT_THE_END: Final = 0.02
"""A server that is out for 1 % of the time is out at the end of one run in a hundred, however short this is; it is no
shorter because answers to what was sent before still come in."""
_OUTLASTS: Final = 2.0
"""Times the longest span before it: a server that comes back each time may be away when the run happens to end."""
_SUCCEEDED: Final = (Standing.GOOD, Standing.SLOW)
_FAILED: Final = (Standing.FAILED, Standing.TIMED_OUT)


@dataclass(frozen=True, slots=True)
class Outage:
    """A span of time in which tasks ended and not one of them had succeeded. Seconds since the start of the run."""

    began_at: float
    ended_at: float
    failed: int
    """Tasks."""
    at_the_end: bool
    """Whether none succeeded any more."""

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return self.ended_at - self.began_at


def outage_of(windows: Sequence[Window]) -> Outage | None:
    """The outage that no chance explains; None where there was none. `windows` are a run's, in the order of time."""
    if not windows:
        return None
    succeeded = sum(_of(window, _SUCCEEDED) for window in windows)
    failed = sum(_of(window, _FAILED) for window in windows)
    began, ended = float(windows[0].index), float(windows[-1].index + windows[-1].seconds)
    if failed > succeeded:
        return Outage(began, ended, failed, at_the_end=False)
    seconds = ended - began
    longest_before = 0.0
    for found in _stretches(windows, ended):
        wanted = max(_LONG_AT_THE_END * seconds, _OUTLASTS * longest_before) if found.at_the_end else _LONG * seconds
        if found.failed >= _LEAST_FAILED and found.seconds >= wanted:
            return found
        longest_before = max(longest_before, found.seconds)
    return None


def _stretches(windows: Sequence[Window], ended: float) -> list[Outage]:
    """Every span between two successes in which a task failed."""
    found: list[Outage] = []
    began, failed = float(windows[0].index), 0
    for window in windows:
        if _of(window, _SUCCEEDED):
            if failed:
                found.append(Outage(began, float(window.index), failed, at_the_end=False))
            began, failed = float(window.index + window.seconds), 0
        else:
            failed += _of(window, _FAILED)
    if failed:
        found.append(Outage(began, ended, failed, at_the_end=True))
    return found


def _of(window: Window, standings: Sequence[Standing]) -> int:
    return sum(window.standings[standing] for standing in standings)
