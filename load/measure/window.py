"""Everything that was measured in one span of time; spans add up exactly, over time and over workers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sendpoll.load.measure.histogram import Histogram
from sendpoll.load.measure.records import Ledger, Standing

HISTOGRAMS: Final = (
    "submit",
    "ttfe",
    "ttfe_lower",
    "stall",
    "task",
    "poll",
    "lag",
    "slip",
    "server_slip",
    "polls_per_task",
    "events_per_poll",
    "bytes_per_poll",
)
"""Durations are recorded in microseconds, the last three in units. `poll` counts from the scheduled time; polls timed
from their send are kept by the length of the log, below."""

COUNTERS: Final = (
    "started",
    "empty_polls",
    "events",
    "bytes",
    "violated_tasks",
    "samples",
    "extra_polls",
    "extra_bytes",
)
"""`samples` are the tasks booked that the gates judge: what attainment is a share of. Extra are the polls that only
compare: second readers, logs that are read again, and all polls of messages sent while another ran."""


class Window:
    """A span of whole seconds since the start of the run."""

    def __init__(self, index: int, seconds: int, objectives: int, tiers: int) -> None:
        self.index = index
        """The second that it begins with."""
        self.seconds = seconds
        self.users = 0.0
        """Users at work: the mean over its seconds, the sum over workers."""
        self.counts: dict[str, int] = dict.fromkeys(COUNTERS, 0)
        self.histograms: dict[str, Histogram] = {name: Histogram() for name in HISTOGRAMS}
        self.poll_by_length: defaultdict[int, Histogram] = defaultdict(Histogram)
        """Poll latency from the send, by the bit length of the number of events that the task had."""
        self.standings: list[int] = [0] * len(Standing)
        self.good_by_tier: list[int] = [0] * tiers
        """Good tasks among the samples, by tier."""
        self.good: list[int] = [0] * objectives
        """Good samples, by objective that has tasks for samples."""
        self.judged: list[int] = [0] * objectives
        """All samples, likewise."""
        self.errors: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.violations: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()
        """Rows that a server should keep and did not; no published client breaks by it, so they fail nothing."""

    @property
    def ledger(self) -> Ledger:
        """The ledger of what started and of what ended in this span; it balances only over the whole run."""
        return Ledger.booked(self.counts["started"], {standing: self.standings[standing] for standing in Standing})

    @property
    def polls(self) -> int:
        """Polls that were answered; those that fell out of a grid are in the latencies alone."""
        return sum(histogram.count for histogram in self.poll_by_length.values())

    @property
    def poll_from_send(self) -> Histogram:
        """Latency of all polls, from the send of each."""
        total = Histogram()
        for histogram in self.poll_by_length.values():
            total.add(histogram)
        return total

    def add(self, other: Window) -> None:
        """Count everything that another span counted; users are left to the caller, who knows what the two share."""
        for name, count in other.counts.items():
            self.counts[name] += count
        for name, histogram in other.histograms.items():
            self.histograms[name].add(histogram)
        for length, histogram in other.poll_by_length.items():
            self.poll_by_length[length].add(histogram)
        for mine, theirs in (
            (self.standings, other.standings),
            (self.good_by_tier, other.good_by_tier),
            (self.good, other.good),
            (self.judged, other.judged),
        ):
            mine[:] = [one + another for one, another in zip(mine, theirs, strict=True)]
        self.errors.update(other.errors)
        self.refusals.update(other.refusals)
        self.violations.update(other.violations)
        self.missed.update(other.missed)

    def to_message(self) -> list[Any]:
        """What msgpack carries; histograms that saw nothing are left out."""
        return [
            self.index,
            self.seconds,
            self.users,
            list(self.counts.values()),
            {name: histogram.to_message() for name, histogram in self.histograms.items() if histogram},
            {length: histogram.to_message() for length, histogram in self.poll_by_length.items()},
            self.standings,
            self.good_by_tier,
            self.good,
            self.judged,
            dict(self.errors),
            dict(self.refusals),
            dict(self.violations),
            dict(self.missed),
        ]

    @classmethod
    def from_message(cls, message: Sequence[Any]) -> Window:
        """The window that `to_message` was made from."""
        index, seconds, users, counts, histograms, by_length, standings, tiers, good, judged, *kinds = message
        window = cls(index, seconds, len(good), len(tiers))
        window.users = users
        window.counts = dict(zip(COUNTERS, counts, strict=True))
        window.histograms.update(_read(histograms))
        window.poll_by_length.update(_read(by_length))
        window.standings, window.good_by_tier = list(standings), list(tiers)
        window.good, window.judged = list(good), list(judged)
        window.errors, window.refusals, window.violations, window.missed = map(Counter, kinds)
        return window


def _read(message: Mapping[Any, Sequence[int]]) -> dict[Any, Histogram]:
    return {key: Histogram.from_message(buckets) for key, buckets in message.items()}
