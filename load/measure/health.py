"""How the load generator itself fared: a measurement by a late generator is none.

Lag is how late the event loop wakes a sleeper; slip is how late polls left through the generator's own fault. Both are
kept as histograms for each step, merged over all processes, beside the CPU of each process and the time for which the
kernel throttled it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sendpoll.core.text.units import short_seconds
from sendpoll.load.measure.histogram import Histogram

MAX_LAG_S: Final = 0.05
"""p99 of the event loop's lag: what is later than that reads clocks too late for a latency to be true."""
MAX_SLIP_SHARE: Final = 0.1
"""p99 of the generator's poll slip, as a share of the poll interval."""
MAX_CPU: Final = 0.85
"""Mean share of one core over a step: beyond it, queues build up within the generator."""
MAX_THROTTLED: Final = 0.05
"""Share of the time in which the kernel held the process back."""
_FEW_PROBES: Final = 100
"""Below so many probes (5 s) a p99 is the maximum, and a single hiccup would condemn the run."""


@dataclass(slots=True)
class Processor:
    """What one process used, over the seconds in which it was observed."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    throttled_seconds: float = 0.0

    @property
    def cpu(self) -> float:
        """Mean share of one core."""
        return self.cpu_seconds / self.seconds if self.seconds else 0.0

    @property
    def throttled(self) -> float:
        """Share of the time for which it was held back."""
        return self.throttled_seconds / self.seconds if self.seconds else 0.0

    def add(self, other: Processor) -> None:
        """Count what another observation of the same process counted."""
        self.seconds += other.seconds
        self.cpu_seconds += other.cpu_seconds
        self.throttled_seconds += other.throttled_seconds


@dataclass(slots=True)
class Health:
    """The generator's health in one step, or in a whole run."""

    poll_interval_s: float = 0.5
    lag: Histogram = field(default_factory=Histogram)
    """Microseconds."""
    slip: Histogram = field(default_factory=Histogram)
    """Microseconds; the generator's part of it."""
    processors: dict[str, Processor] = field(default_factory=dict)
    """By process: its name and number."""
    exhausted: Counter[str] = field(default_factory=Counter)
    """What this machine refused the generator, in a sentence with its mend, and how often."""
    notes: Counter[str] = field(default_factory=Counter)
    """What was seen and spoils nothing, such as a wall clock that was set: no time here is taken from it."""

    @property
    def lag_p99_s(self) -> float:
        """Seconds; 0 where nothing was measured."""
        return self.lag.quantile(0.99) / 1e6 if self.lag else 0.0

    @property
    def slip_p99_s(self) -> float:
        """Seconds; 0 where nothing was measured."""
        return self.slip.quantile(0.99) / 1e6 if self.slip else 0.0

    @property
    def cpu(self) -> float:
        """Share of a core that the busiest process used."""
        return max((processor.cpu for processor in self.processors.values()), default=0.0)

    @property
    def problems(self) -> tuple[str, ...]:
        """Why no verdict may rest on what was measured meanwhile; empty for a sound generator."""
        return (*self._refused(), *self._late(), *self._overused())

    @property
    def late(self) -> tuple[str, ...]:
        """Those of the problems that are delays: they lengthen what was measured by `lateness_s`, and no more."""
        return tuple(self._late())

    @property
    def unsound(self) -> tuple[str, ...]:
        """All others: a limit of this machine was met, or its CPU was too little."""
        return (*self._refused(), *self._overused())

    @property
    def lateness_s(self) -> float:
        """How late the generator was, in seconds: p99 of lag or slip; 0 where it was not too late for any purpose."""
        return max(self.lag_p99_s, self.slip_p99_s) if self.late else 0.0

    def _refused(self) -> Iterator[str]:
        for sentence, count in self.exhausted.most_common():
            yield f"the generator ran out of {sentence} ({count:,} call{'s' if count > 1 else ''} failed)"

    def _late(self) -> Iterator[str]:
        if self.lag.count >= _FEW_PROBES and self.lag_p99_s > MAX_LAG_S:
            yield (
                f"the generator's event loop was late: lag p99 is {short_seconds(self.lag_p99_s)}, more than "
                f"{short_seconds(MAX_LAG_S)}; use more --processes, or a machine with less else to do"
            )
        allowed = MAX_SLIP_SHARE * self.poll_interval_s
        if self.slip.count >= _FEW_PROBES and self.slip_p99_s > allowed:
            yield (
                f"the generator sent polls late: slip p99 is {short_seconds(self.slip_p99_s)}, more than "
                f"{short_seconds(allowed)}; use more --processes"
            )

    def _overused(self) -> Iterator[str]:
        for name, processor in self.processors.items():
            if processor.seconds >= 3 and processor.cpu > MAX_CPU:
                yield f"the generator's process {name} used {processor.cpu:.0%} of a core; use more --processes"
            if processor.seconds >= 3 and processor.throttled > MAX_THROTTLED:
                yield (
                    f"the kernel throttled the generator's process {name} for {processor.throttled:.0%} of the time; "
                    "give it a larger CPU quota"
                )

    def add(self, other: Health) -> None:
        """Count what another process, or another span of time, counted."""
        self.lag.add(other.lag)
        self.slip.add(other.slip)
        for name, processor in other.processors.items():
            self.processors.setdefault(name, Processor()).add(processor)
        self.exhausted.update(other.exhausted)
        self.notes.update(other.notes)

    def as_json(self) -> dict[str, Any]:
        """The health as reports write it."""
        processes = {
            name: {"cpu": round(processor.cpu, 4), "throttled": round(processor.throttled, 4)}
            for name, processor in sorted(self.processors.items())
        }
        return {
            "lag_p99_s": round(self.lag_p99_s, 6),
            "slip_p99_s": round(self.slip_p99_s, 6),
            "cpu": round(self.cpu, 4),
            "processes": processes,
            "problems": list(self.problems),
            "notes": list(self.notes),
        }

    def to_message(self) -> list[Any]:
        """What msgpack carries."""
        used = {
            name: [processor.seconds, processor.cpu_seconds, processor.throttled_seconds]
            for name, processor in self.processors.items()
        }
        told = [dict(self.exhausted), dict(self.notes)]
        return [self.poll_interval_s, self.lag.to_message(), self.slip.to_message(), used, *told]

    @classmethod
    def from_message(cls, message: list[Any]) -> Health:
        """The health that `to_message` was made from."""
        interval, lag, slip, used, exhausted, notes = message
        processors = {name: Processor(*numbers) for name, numbers in used.items()}
        histograms = Histogram.from_message(lag), Histogram.from_message(slip)
        return cls(interval, *histograms, processors, Counter(exhausted), Counter(notes))


def overall(by_step: Mapping[int, Health]) -> Health:
    """The health of all steps together."""
    total = Health()
    for health in by_step.values():
        total.poll_interval_s = health.poll_interval_s
        total.add(health)
    return total
