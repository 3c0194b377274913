"""One server of a recording and the clients that spoke to it: each exchange put to rules, oracle and thread."""

from __future__ import annotations

import weakref
from collections.abc import Sequence

from sendpoll.conformance.http.exchange import Exchange
from sendpoll.conformance.recordings.api_calls import ApiCall
from sendpoll.conformance.recordings.recorded_exchange import RecordedExchange
from sendpoll.conformance.recordings.rows.client_rows import ClientRows
from sendpoll.conformance.recordings.rows.row_tallies import Seen
from sendpoll.conformance.recordings.rows.server_rows import ServerRows, poll_of
from sendpoll.conformance.recordings.threads.client_threads import client_key
from sendpoll.conformance.recordings.threads.earnest import Asked, asked
from sendpoll.conformance.recordings.threads.known_ids import BoundedMap, KnownIds
from sendpoll.conformance.recordings.writing.masks import token_of
from sendpoll.conformance.server.probing.created_resources import asked_for, identifier
from sendpoll.conformance.server.probing.refusals import UNAUTHORIZED, is_message
from sendpoll.core.http.content import read_content
from sendpoll.core.oracle import RUNNING, Poll
from sendpoll.schemas.catalogue import Level, load_catalogue

_KEPT_MESSAGE = 200
"""Characters of a message that are remembered, and whether it held U+FFFD itself."""


class JudgedServer:
    """Everything that a recording shows of one server. Exchanges are to come in the order of their answers."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.calls = 0
        self.told = 0
        """Polls, and tasks, of which no exchange is known."""
        self.messages = 0
        """Messages that it took."""
        self.began = self.ended = 0.0
        """When the first call was sent, and the last answer had come, in seconds since 1970."""
        self.disordered: dict[str, None] = {}
        """Tasks whose polls cannot be put in order."""
        self.unplaced = 0
        """Polls of tasks that were let go before, for memory's sake."""
        self.begun_before: dict[str, None] = {}
        """Tasks that were polled on from an offset that the recording shows nobody being given."""
        self._counted: set[str] = set()
        """Tasks of whose polls the number of events is known, and nothing that could be held against an answer."""
        self.server = ServerRows()
        self._known = KnownIds()
        self._faulty: BoundedMap[str, bool] = BoundedMap()
        self.clients = ClientRows(self._known, self._faulty.__contains__)
        self._musts = {row.id for row in load_catalogue().rows if row.level is Level.MUST}

    def add(self, number: int, recorded: RecordedExchange, call: ApiCall, *, in_order: bool) -> list[Seen]:
        """Judge one exchange; the violations that it adds. `number` is its place in the recording, from 1."""
        self.calls += 1
        timing = recorded.timing
        self.began = min(self.began or timing.started, timing.started)
        self.ended = max(self.ended, timing.finished)
        request = asked(recorded, call, self._known)
        exchange = _exchange(number, recorded, request)
        found = list(self.server.add(exchange, recorded, request))
        found += self._poll(exchange, recorded, request, call, in_order=in_order)
        self._note_faults(found, call)
        if not recorded.by_suite:
            found += self.clients.add(exchange, recorded, request, call, in_order=in_order)
        self._note_ids(exchange, recorded, call, request)
        return found

    def add_poll(self, task_id: str, poll: Poll) -> list[Seen]:
        """Judge a poll of which our own report tells no more than what the oracle compares."""
        shelved = self.server.shelf.get(task_id, poll.sent_at)
        if shelved is None:
            return []
        self.told += 1
        self._counted.add(task_id)
        self.began = min(self.began or poll.sent_at, poll.sent_at)
        self.ended = max(self.ended, poll.received_at)
        return self.server.poll(shelved, poll, None)

    def add_told(
        self, place: str, polls: int, violations: Sequence[tuple[str, str]], *, has_events: bool, is_over: bool
    ) -> None:
        """Take over what somebody who goes by the same rules said of a task."""
        self.told += 1
        for requirement, sentence in violations:
            self.server.tallies.violate(Seen(requirement, f"{place}: {sentence}"))
        kept = {"POLL-5": polls, "POLL-7": polls, "POLL-8": int(has_events), "POLL-9": 1} if is_over else {}
        for requirement, count in kept.items():
            self.server.tallies.exercise(requirement, count)

    def conclude(self) -> None:
        """Judge what only the end shows. Nothing is added afterwards."""
        self.server.conclude()
        self.clients.conclude()

    # ---- tasks ----

    def _poll(
        self, exchange: Exchange, recorded: RecordedExchange, request: Asked, call: ApiCall, *, in_order: bool
    ) -> list[Seen]:
        poll = poll_of(exchange, request, client_key(recorded).name)
        if poll is None or call.ids["task_id"] in self._counted:
            return []
        task = self._known.task(call.ids["task_id"], recorded.timing.started)
        shelved = self.server.shelf.get(task.task_id, task.sent_at)
        if shelved is None:
            self.unplaced += 1
            return []
        if not in_order:
            shelved.is_disordered = True
        if shelved.is_disordered:
            self.disordered[task.task_id] = None
            return []
        task.polled = weakref.ref(shelved.task.history)
        if not shelved.task.polls and poll.asked:
            self.begun_before[task.task_id] = None
        if task.message is not None:
            self.server.messages[task.task_id] = task.message
        if poll.status != RUNNING and task.ended_at is None:
            task.ended_at = poll.received_at
        return self.server.poll(shelved, poll, exchange)

    def _note_faults(self, found: list[Seen], call: ApiCall) -> None:
        """Which tasks the server was at fault in: what a client does wrong there may be of its making."""
        for seen in found:
            if seen.requirement in self._musts and not seen.requirement.startswith("CORS"):
                self._faulty[seen.task_id or call.ids.get("task_id", "")] = True

    # ---- ids ----

    def _note_ids(self, exchange: Exchange, recorded: RecordedExchange, call: ApiCall, request: Asked) -> None:
        token, known = token_of(recorded), self._known
        if exchange.response is not None and exchange.status not in UNAUTHORIZED and exchange.status < 500 and token:
            known.tokens[token] = recorded.timing.finished
        ensured = asked_for(exchange.request, "workspace_id") if call.operation == "createWorkspace" else None
        if ensured:
            known.ensured[ensured] = recorded.timing.finished
        if not exchange.ok:
            return
        workspace = call.ids.get("workspace_id")
        if call.operation == "createWorkspace":
            workspace = ensured or identifier(exchange, "workspace_id")
        if workspace:
            known.workspaces.setdefault(workspace, recorded.timing.finished)
        if call.operation == "createConversation" and (name := identifier(exchange, "conversation_id")):
            known.conversations[name] = token
        if is_message(exchange.request):
            self._note_task(exchange, request, token)

    def _note_task(self, exchange: Exchange, request: Asked, token: str) -> None:
        self.messages += 1
        task_id = identifier(exchange, "task_id")
        if task_id is None or task_id in self._known.tasks:
            return
        task = self._known.task(task_id, exchange.timing.started)
        said = request.said if isinstance(request.said, dict) else {}
        message = said.get("message")
        if isinstance(message, str):
            task.message = message[:_KEPT_MESSAGE] + ("\ufffd" if "\ufffd" in message[_KEPT_MESSAGE:] else "")
        task.token, task.is_made_here = token, True


def _exchange(number: int, recorded: RecordedExchange, request: Asked) -> Exchange:
    exchange = Exchange(
        number=number,
        request=request.request,
        response=recorded.response,
        timing=recorded.timing,
        failure=recorded.failure,
        detail=recorded.detail,
        stray=recorded.stray,
    )
    if recorded.decoded and recorded.response is not None:
        exchange.__dict__["content"] = read_content(recorded.response.body, None)
    return exchange
