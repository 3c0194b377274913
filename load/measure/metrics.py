"""What the users measure, second by second: cheap to record, exact to merge over workers.

Users record into the window of the current second. `tick` closes it and adds it to the series and to the total. A
generator hands its closed windows over (`delta`), the master adds them to its own (`merge`), so both keep the same
numbers and no percentile is ever averaged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from sendpoll.load.measure.histogram import bucket_of
from sendpoll.load.measure.records import Ledger, Outcome, Standing, TaskRecord, ViolationRecord
from sendpoll.load.measure.slo import ServiceLevel
from sendpoll.load.measure.window import Window

MAX_WINDOWS: Final = 600
"""A longer series is halved by adding neighbours: a plot shows no more, and memory stays bounded in a soak."""
MAX_ERROR_KINDS: Final = 50
MAX_EVIDENCE: Final = 5
"""Violations kept with their exchanges, for each requirement; all are counted."""
OTHER_ERRORS: Final = "other errors"
_AT_ONCE: Final = 256
"""Polls that are counted together: a third of a millisecond, in which no user is kept waiting to speak of."""


class Metrics:
    """The numbers of a run as one generator, or the master of several, knows them. All times are in seconds.

    Whoever ticks is a generator and keeps its closed windows until `delta` hands them over; the master only merges.
    """

    def __init__(self, level: ServiceLevel | None = None) -> None:
        self.level = level or ServiceLevel()
        self.total = self._empty(0, 0)
        """All closed windows together."""
        self.evidence: dict[str, list[ViolationRecord]] = {}
        self._series: dict[int, Window] = {}
        self._width = 1
        self._pending: list[Window] = []
        self._pending_evidence: list[ViolationRecord] = []
        self._records: list[TaskRecord] = []
        self._last_index = -1
        self._polls: list[tuple[float, float, int, bool, int, int]] = []
        self._slips: list[float] = []
        self._open()

    def _empty(self, index: int, seconds: int) -> Window:
        return Window(index, seconds, len(self.level.objectives), len(self.level.tiers))

    def _open(self) -> None:
        self._window = self._empty(self._last_index + 1, 1)

    def started(self) -> None:
        """A task is about to be sent. Every call must be followed by one of `task`, or the ledger will not balance."""
        self._window.counts["started"] += 1

    def submit(self, latency_s: float) -> None:
        """A message was accepted, so long after it was sent."""
        self._window.histograms["submit"].record_seconds(latency_s)

    def poll(
        self, latency_s: float, scheduled_latency_s: float, log_length: int, empty: bool, events: int, size: int
    ) -> None:
        """A poll was answered: so long after its send, after its scheduled time; `log_length` events so far."""
        self._polls.append((latency_s, scheduled_latency_s, log_length, empty, events, size))
        if len(self._polls) >= _AT_ONCE:
            self._count_polls()

    def _count_polls(self) -> None:
        """Count what was only noted. Many at once cost a third of as many between the work of a thousand users."""
        polls, self._polls = self._polls, []
        slips, self._slips = self._slips, []
        window = self._window
        counts, histograms, by_length = window.counts, window.histograms, window.poll_by_length
        scheduled = histograms["poll"].buckets
        for latency_s, scheduled_latency_s, log_length, empty, events, size in polls:
            scheduled[bucket_of(int(scheduled_latency_s * 1e6))] += 1
            by_length[log_length.bit_length()].buckets[bucket_of(int(latency_s * 1e6))] += 1
            if empty:
                counts["empty_polls"] += 1
            elif events:
                histograms["events_per_poll"].record(events)
                histograms["bytes_per_poll"].record(size)
                counts["events"] += events
            counts["bytes"] += size
        slipped = histograms["slip"].buckets
        for slip_s in slips:
            slipped[bucket_of(int(slip_s * 1e6))] += 1

    def missed_poll(self, scheduled_latency_s: float) -> None:
        """A poll of a fixed grid could not leave, because the answer before it was so late after it was due."""
        self._window.histograms["poll"].record_seconds(scheduled_latency_s)

    def extra_poll(self, size: int) -> None:
        """A poll was answered that is made to compare what readers get, and tells nothing of how users fare."""
        self._window.counts["extra_polls"] += 1
        self._window.counts["extra_bytes"] += size

    def slip(self, generator_s: float, server_s: float) -> None:
        """A request left later than scheduled: so much through the generator, so much through the answer before it.

        Call it for every poll, also with zeros.
        """
        self._slips.append(generator_s)
        if server_s > 0:
            self._window.histograms["server_slip"].record_seconds(server_s)

    def lag(self, seconds: float) -> None:
        """The event loop woke so late from a sleep."""
        self._window.histograms["lag"].record_seconds(seconds)

    def error(self, kind: str) -> None:
        """An exchange failed. `kind` is one of few, without ids, such as `POST messages: 503`."""
        errors = self._window.errors
        known = kind in self.total.errors or len(self.total.errors | errors) < MAX_ERROR_KINDS
        errors[kind if known else OTHER_ERRORS] += 1

    def refusal(self, kind: str) -> None:
        """A call was refused for the moment. `kind` is one of few, such as `POST messages: 429 (too many requests)`."""
        self._window.refusals[kind] += 1

    def violation(self, violation: ViolationRecord) -> None:
        """A requirement was broken, in a task or outside of one; the first few of each are kept with their proof."""
        counted = self._window.violations if violation.is_must else self._window.missed
        counted[violation.requirement] += 1
        if self._keep(violation):
            self._pending_evidence.append(violation)

    def _keep(self, violation: ViolationRecord) -> bool:
        kept = self.evidence.setdefault(violation.requirement, [])
        if len(kept) >= MAX_EVIDENCE:
            return False
        kept.append(violation)
        return True

    def task(self, record: TaskRecord) -> None:
        """A task has ended, or an arrival was dropped."""
        window = self._window
        window.standings[self.level.standing(record)] += 1
        if record.is_sample:
            window.counts["samples"] += 1
            for index, tier in enumerate(self.level.tiers):
                window.good_by_tier[index] += self.level.standing(record, tier) is Standing.GOOD
        for index, good in enumerate(self.level.judge(record)):
            if good is not None:
                window.judged[index] += 1
                window.good[index] += good
        self._records.append(record)
        if record.outcome is Outcome.DROPPED:
            return
        window.counts["violated_tasks"] += bool(record.violations)
        histograms = window.histograms
        if not record.follow_up:
            histograms["polls_per_task"].record(record.polls)
        if not record.is_sample:
            return
        for name, taken in (
            ("ttfe", record.ttfe_s),
            ("ttfe_lower", record.ttfe_lower_s),
            ("stall", record.stall_s),
            ("task", record.task_s),
        ):
            if taken is not None:
                histograms[name].record_seconds(taken)

    def tick(self, t: float, users: int) -> Window:
        """Close the window of the second that ends now, `t` seconds after the start of the run, and begin another.

        Call it about once a second and once after the last task: what is recorded later is in no number. A second
        that had no tick leaves a gap in the series and nothing else.
        """
        self._count_polls()
        closed = self._window
        closed.index = max(self._last_index + 1, int(t) - 1)
        closed.users = float(users)
        self._last_index = closed.index
        self._pending.append(closed)
        self._add(closed)
        self._open()
        return closed

    def _add(self, window: Window) -> None:
        self.total.add(window)
        while window.index // self._width >= MAX_WINDOWS:
            self._halve()
        place = window.index // self._width
        known = self._series.get(place)
        if known is None:
            known = self._series[place] = self._empty(place * self._width, self._width)
        known.add(window)
        known.users += window.users / self._width

    def _halve(self) -> None:
        self._width *= 2
        halved: dict[int, Window] = {}
        for window in self._series.values():
            place = window.index // self._width
            wider = halved.get(place)
            if wider is None:
                wider = halved[place] = self._empty(place * self._width, self._width)
            wider.add(window)
            wider.users += window.users / 2
        self._series = halved

    @property
    def series(self) -> list[Window]:
        """All closed windows in the order of time, of one width each."""
        return [self._series[place] for place in sorted(self._series)]

    @property
    def ledger(self) -> Ledger:
        """Where the tasks of all closed windows ended up."""
        return self.total.ledger

    @property
    def broken(self) -> int:
        """How many violations there were; at least one for each task that had any."""
        return max(sum(self.total.violations.values()), self.total.counts["violated_tasks"])

    @property
    def errors(self) -> Counter[str]:
        """The failed exchanges by kind."""
        return self.total.errors

    @property
    def refusals(self) -> Counter[str]:
        """The refused calls by kind."""
        return self.total.refusals

    def take_records(self) -> list[TaskRecord]:
        """The records of the tasks that ended since this was last called; each is given once."""
        taken, self._records = self._records, []
        return taken

    def delta(self) -> dict[str, Any]:
        """What a generator owes the master since it last paid, as msgpack carries it: windows, records and evidence.

        The records go with it, so a generator does not call `take_records`.
        """
        owed = {
            "windows": [window.to_message() for window in self._pending],
            "records": [record.to_message() for record in self.take_records()],
            "evidence": [violation.to_message() for violation in self._pending_evidence],
        }
        self._pending, self._pending_evidence = [], []
        return owed

    def forgive(self) -> None:
        """Owe nobody what has been measured so far; where there is no master, it would pile up."""
        self._pending, self._pending_evidence = [], []

    def merge(self, delta: Mapping[str, Any]) -> None:
        """Add what a generator handed over, in whatever order they report."""
        for message in delta["windows"]:
            self._add(Window.from_message(message))
        self._records.extend(TaskRecord.from_message(message) for message in delta["records"])
        for message in delta["evidence"]:
            self._keep(ViolationRecord.from_message(message))
