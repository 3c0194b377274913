"""When a server was not merely unlucky for a while but out of service.

Samples that hang together tell less than as many independent ones, and an interval allows for that. Of a server that
was dead for half of the run the allowance would leave next to nothing: one cluster of failures, one of successes, and
no verdict. So it ends where chance does: where most tasks failed, where for a quarter of the run not one succeeded, or
where none did any more at its end, since a dead server does not come back by waiting for more samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from sendpoll.core.text.units import short_seconds
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
_FAILED: Final = (Standing.FAILED, Standing.REFUSED, Standing.TIMED_OUT)


class Extent(Enum):
    """How much of a run was out of service."""

    MOSTLY = 0
    """More tasks failed than succeeded, if not in a row."""
    FOR_A_WHILE = 1
    """Not one succeeded for some time."""
    TO_THE_END = 2
    """Not one succeeded any more."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A span of time in which tasks failed. Seconds since the start of the run."""

    began_at: float
    ended_at: float
    failed: int
    """Tasks."""
    extent: Extent

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return self.ended_at - self.began_at

    @property
    def sentence(self) -> str:
        """What happened, in a clause."""
        if self.extent is Extent.MOSTLY:
            return "most tasks failed"
        if self.extent is Extent.TO_THE_END:
            return f"no task succeeded any more from {short_seconds(self.began_at)} on"
        return f"no task succeeded from {short_seconds(self.began_at)} to {short_seconds(self.ended_at)}"


def outage_of(windows: Sequence[Window]) -> Outage | None:
    """The outage that no chance explains; None where there was none. `windows` are a run's, in the order of time."""
    if not windows:
        return None
    succeeded = sum(_of(window, _SUCCEEDED) for window in windows)
    failed = sum(_of(window, _FAILED) for window in windows)
    began, ended = float(windows[0].index), float(windows[-1].index + windows[-1].seconds)
    seconds = ended - began
    longest, found = 0.0, None
    for stretch in _stretches(windows, ended):
        is_last = stretch.extent is Extent.TO_THE_END
        wanted = max(_LONG_AT_THE_END * seconds, _OUTLASTS * longest) if is_last else _LONG * seconds
        if stretch.failed >= _LEAST_FAILED and stretch.seconds >= wanted:
            found = stretch
        longest = max(longest, stretch.seconds)
    return found or (Outage(began, ended, failed, Extent.MOSTLY) if failed > succeeded else None)


def _stretches(windows: Sequence[Window], ended: float) -> list[Outage]:
    """Every span between two successes in which a task failed."""
    found: list[Outage] = []
    began, failed = float(windows[0].index), 0
    for window in windows:
        if _of(window, _SUCCEEDED):
            if failed:
                found.append(Outage(began, float(window.index), failed, Extent.FOR_A_WHILE))
            began, failed = float(window.index + window.seconds), 0
        else:
            failed += _of(window, _FAILED)
    if failed:
        found.append(Outage(began, ended, failed, Extent.TO_THE_END))
    return found


def _of(window: Window, standings: Sequence[Standing]) -> int:
    return sum(window.standings[standing] for standing in standings)
