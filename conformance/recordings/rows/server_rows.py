"""What recorded exchanges say of a server, by the rules and the oracle that judge it in a `check`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sendpoll.conformance.http.exchange import Exchange, Intent
from sendpoll.conformance.recordings.recorded_exchange import Facet, RecordedExchange
from sendpoll.conformance.recordings.rows.recorded_facets import ANY_BODY, BODIES, NEEDS, is_blind, lacking
from sendpoll.conformance.recordings.rows.row_tallies import RowTallies, Seen, trimmed
from sendpoll.conformance.recordings.threads.earnest import Asked
from sendpoll.conformance.recordings.threads.known_ids import BoundedMap
from sendpoll.conformance.recordings.threads.task_shelf import ShelvedTask, TaskShelf
from sendpoll.conformance.recordings.writing.masks import token_of
from sendpoll.conformance.results.evidence import SHOWN_TASKS
from sendpoll.conformance.rules import headers
from sendpoll.conformance.rules.echo import shows_halves
from sendpoll.conformance.rules.polled_task import read_poll
from sendpoll.conformance.rules.rules import RuleOutcome, observe
from sendpoll.conformance.server.probing.pacing import Pace
from sendpoll.conformance.server.probing.quotas import Quotas
from sendpoll.conformance.server.probing.refusals import UNAUTHORIZED, may_be_too_fast
from sendpoll.core.oracle import RUNNING, Poll, Violation, chunk_text
from sendpoll.core.target.target import Timeouts

_ENVELOPES: Final = frozenset({"WS-3", "WS-2", "CONV-1", "MSG-1", "MSG-2", "POLL-1", "POLL-13"})
"""Rows that an answer which is no success breaks, whatever its body says."""
_PATIENCE: Final = Timeouts().task
ORACLE_ROWS: Final = frozenset({"POLL-5", "POLL-6", "POLL-7", "POLL-8", "POLL-9", "POLL-12", "POLL-13"})
PREFLIGHT_ROWS: Final = frozenset({"CORS-1", "CORS-2", "CORS-3", "CORS-4"})


class ServerRows:
    """One server, judged exchange by exchange in the order in which answers came."""

    def __init__(self) -> None:
        self.tallies = RowTallies()
        self.shelf = TaskShelf(self._conclude)
        self.concluded: list[ShelvedTask] = []
        """The tasks that a report shows: the first ones."""
        self.messages: BoundedMap[str, str] = BoundedMap()
        """The id of a task to its message, where the recording has it."""
        self._quotas = Quotas()
        self._now = 0.0
        self._pace = Pace(clock=lambda: self._now)
        self._refused: BoundedMap[str, list[tuple[RuleOutcome, Exchange, frozenset[Facet]]]] = BoundedMap(1000)
        """Token to what the rules say of refusals of it, until the server takes it again."""
        self._moved_at = 0.0

    def add(self, exchange: Exchange, recorded: RecordedExchange, asked: Asked) -> Iterator[Seen]:
        """Judge one exchange by the rules over single ones; the violations that it adds."""
        is_first = self._now == 0.0
        self._now = max(self._now, recorded.timing.started)
        if is_first:
            self._pace = Pace(clock=lambda: self._now)
        self._pace.turn()
        if asked.passed_over:
            return
        if may_be_too_fast(exchange) and not self._pace.was_a_clients(recorded.timing.started):
            return
        lacks = recorded.lacks
        observed = [*observe(exchange), *_preflight(exchange)]
        if Facet.RESPONSE_BODY in lacks and exchange.response is not None:
            self._note_missing_body(exchange, lacks)
        token = token_of(recorded)
        if exchange.status in UNAUTHORIZED and exchange.request.intent is not Intent.PROBE:
            self._refused.setdefault(token, []).extend((one, trimmed(exchange), lacks) for one in observed)
            return
        if exchange.ok:
            for one, refused, lacked in self._refused.pop(token, []):
                yield from self._count(one, refused, lacked)
        rows, open_rows = self.tallies.rows, lacking(lacks)
        for one, shown in self._quotas.judge(exchange, observed):
            if one.broken is None and one.requirement not in open_rows:
                rows[one.requirement].told.exercised += 1
            else:
                yield from self._count(one, shown, lacks)

    def _count(self, observed: RuleOutcome, exchange: Exchange, lacks: frozenset[Facet]) -> Iterator[Seen]:
        row, sentence = observed.requirement, observed.broken
        missing = lacking(lacks).get(row)
        if missing and is_blind(missing) and not (row in _ENVELOPES and sentence and not exchange.ok):
            self.tallies.lack(row, missing)
        elif sentence is not None:
            yield self.tallies.violate(Seen(row, sentence, (trimmed(exchange),)))
        elif missing:
            self.tallies.lack(row, missing)
        else:
            self.tallies.exercise(row)

    def _note_missing_body(self, exchange: Exchange, lacks: frozenset[Facet]) -> None:
        """The rows that would have been read in a body that nobody wrote down."""
        if exchange.ok and exchange.request.operation:
            for row in (*BODIES[exchange.request.operation], *ANY_BODY):
                self.tallies.lack(row, lacks & NEEDS[row])

    # ---- tasks ----

    def poll(self, shelved: ShelvedTask, poll: Poll, exchange: Exchange | None) -> list[Seen]:
        """Hand a poll to the oracle; what it contradicts. `exchange` is None where only our own report tells of it."""
        task = shelved.task
        before, was_over = len(task.history.log), task.is_over
        shelved.late_polls += was_over and poll.sent_at >= task.sent_at + (task.finished_after or 0.0)
        found = task.observe(poll, trimmed(exchange) if exchange else None)
        shelved.last_polled = max(shelved.last_polled, poll.received_at)
        events = len(task.history.log) - before
        if events or task.is_over != was_over:
            shelved.moved_at = self._moved_at = poll.received_at
        self.shelf.grew(shelved, events, exchange.response.size if exchange and exchange.response else 0)
        return [self._contradicts(shelved, violation) for violation in found]

    def _contradicts(self, shelved: ShelvedTask, violation: Violation) -> Seen:
        task = shelved.task
        kept = (one.exchanges for one in task.contradictions if one.violation.requirement == violation.requirement)
        shown = list(kept)[-1:] or [()]
        sentence = f"task {task.task_id[:80]!r}: {violation.sentence}"
        return self.tallies.violate(Seen(violation.requirement, sentence, shown[0], task.task_id))

    def conclude(self) -> None:
        """Judge what only the end shows."""
        self.shelf.clear()

    def _conclude(self, shelved: ShelvedTask) -> None:
        task, history = shelved.task, shelved.task.history
        if len(self.concluded) < SHOWN_TASKS:
            self.concluded.append(shelved)
        if not task.polls:
            return
        if not shelved.is_disordered:
            for violation in (*task.conclude_late(), *history.conclude()):
                self._contradicts(shelved, violation)
        empty = sum(note.events == 0 for note in task.notes)
        counts = {
            "POLL-5": task.polls if history.log else 0,
            "POLL-6": int(bool(task.text)),
            "POLL-7": task.polls if task.is_over else 0,
            "POLL-8": int(task.is_over and bool(history.log)),
            "POLL-9": int(task.is_over),
            "POLL-12": empty,
            "POLL-13": shelved.late_polls if history.log else 0,
        }
        for row, count in counts.items():
            self.tallies.exercise(row, count)
        self._judge_end(shelved)
        self._judge_halves(shelved)

    def _judge_end(self, shelved: ShelvedTask) -> None:
        """POLL-9: a task that was asked after for as long as `check` waits, and stood still while no other moved."""
        task = shelved.task
        still = shelved.last_polled - max(shelved.moved_at, self._moved_at if not task.history.log else 0.0)
        if not task.is_over and not shelved.is_disordered and task.history.status == RUNNING and still >= _PATIENCE:
            sentence = f"task {task.task_id[:80]!r} still runs, and has told nothing for {still:.0f} s"
            self.tallies.violate(Seen("POLL-9", sentence, (), task.task_id))

    def _judge_halves(self, shelved: ShelvedTask) -> None:
        """ENC-1: a character that is cut in two chunks, each of which shows U+FFFD in its place."""
        task, message = shelved.task, self.messages.get(shelved.task.task_id)
        if message is None or "\ufffd" in message or "\ufffd" not in task.text:
            return
        if shows_halves(text for event in task.history.log if (text := chunk_text(event)) is not None):
            sentence = f"task {task.task_id[:80]!r}: a character is cut in two chunks, each of which shows U+FFFD"
            self.tallies.violate(Seen("ENC-1", sentence, (), task.task_id))


def poll_of(exchange: Exchange, asked: Asked, reader: str) -> Poll | None:
    """The poll in an exchange, as the oracle takes it; None where there is none."""
    if asked.offset is None or not exchange.ok:
        return None
    return read_poll(exchange, asked.offset, reader)


def _preflight(exchange: Exchange) -> Iterator[RuleOutcome]:
    """What an answered preflight says: CORS-1 to CORS-4."""
    request = exchange.request
    origin = request.header("origin")
    if request.method != "OPTIONS" or origin is None or request.header("access-control-request-method") is None:
        return
    told = None if exchange.ok else f"OPTIONS {request.target[:200]}: {exchange.outcome}"
    yield RuleOutcome("CORS-1", told)
    yield RuleOutcome("CORS-2", headers.origin_fault(exchange.response, origin))
    yield RuleOutcome("CORS-3", headers.missing_header(request, exchange.response, asterisk=True))
    if "authorization" in (request.header("access-control-request-headers") or "").lower():
        yield RuleOutcome("CORS-4", headers.unnamed_authorization(exchange.response))
