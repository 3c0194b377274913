"""What recorded requests say of the clients that sent them, by the rules over traffic of `sendpoll client`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import unquote

from sendpoll.conformance.client.judging.observation import Judge
from sendpoll.conformance.client.judging.rows import pace, retry_after
from sendpoll.conformance.client.judging.traffic import (
    made_up,
    message_once,
    offsets,
    pauses,
    requests_right,
    token_kept,
)
from sendpoll.conformance.client.serving.responder import Served
from sendpoll.conformance.http.exchange import Exchange
from sendpoll.conformance.recordings.api_calls import ApiCall
from sendpoll.conformance.recordings.recorded_exchange import Facet, RecordedExchange
from sendpoll.conformance.recordings.rows.row_tallies import RowTallies, Seen, trimmed
from sendpoll.conformance.recordings.rows.thread_rules import stops
from sendpoll.conformance.recordings.threads.client_threads import (
    ClientKey,
    TaskReaders,
    ThreadedPoll,
    client_key,
    seen_of,
    served,
)
from sendpoll.conformance.recordings.threads.earnest import Asked
from sendpoll.conformance.recordings.threads.known_ids import KnownIds
from sendpoll.conformance.server.probing.refusals import UNAUTHORIZED

JUDGED: Final = ("C-7", "C-11", "C-13", "C-14", "C-17", "C-19", "C-20", "C-27", "C-31", "C-34", "C-38")
"""The rows that requests alone can tell of."""
UNSEEN: Final = frozenset(f"C-{number}" for number in (1, 2, 3, 4, 5, 6, 12, 15, 16, 18, 23, 30, 32, 35, 36))
"""Rows about what a client showed its user, which stands in no recording of its traffic."""
_OF_A_READER: Final[Mapping[str, Judge]] = MappingProxyType(
    {"C-11": stops, "C-13": pauses, "C-14": pace, "C-27": retry_after}
)
_MISLED: Final = frozenset({"C-7", "C-11", "C-31"})
"""Rows that a client breaks by doing what a server at fault has it do."""
MOST_CLIENTS = 200
"""Clients that are judged; of more, the recording is about the server."""
_MOST_POLLS = 5_000
"""Polls that are kept until the tasks that they are of are judged."""
_MOST_HEADERS = 100
_MOST_SENT = 50
"""Messages, and conversations, in a row that are looked at for pauses between them."""
_SOON, _AT_ONCE = 10.0, 1.0
"""Seconds within which a client, and no person, sends a message again: after a failure, and after a success."""
_LIKE: Final = 8
"""Characters by which an id that was cut is known to be one that was given."""
_NEVER_GIVEN: Final = frozenset({400, 404, 410, 422})


class _Client:
    """One client, as far as its requests have been seen."""

    def __init__(self, key: ClientKey) -> None:
        self.key = key
        self.sent: deque[tuple[Served, Exchange]] = deque(maxlen=_MOST_SENT)
        self.tasks: dict[str, TaskReaders] = {}
        self.right: set[tuple[tuple[str, str], ...]] = set()
        """Headers with which a poll was right: the next with the same is right too."""


class ClientRows:
    """All clients of one server, each judged by its own requests."""

    def __init__(self, known: KnownIds, is_misled: Callable[[str], bool]) -> None:
        """`is_misled` says of a task's id whether the server was seen at fault in it; of "", of anything else."""
        self.tallies = RowTallies()
        self._known = known
        self._is_misled = is_misled
        self._clients: dict[ClientKey, _Client] = {}
        self._polls = 0

    @property
    def names(self) -> list[str]:
        """Who the clients are, each once."""
        return list(dict.fromkeys(key.name for key in self._clients))

    def add(
        self, exchange: Exchange, recorded: RecordedExchange, asked: Asked, call: ApiCall, *, in_order: bool
    ) -> Iterator[Seen]:
        """Judge one exchange; the violations that it adds. To be called before its answer is known to `known`."""
        key = client_key(recorded)
        if exchange.request.method == "OPTIONS" or (key not in self._clients and len(self._clients) >= MOST_CLIENTS):
            return
        client = self._clients.setdefault(key, _Client(key))
        one = served(exchange, recorded)
        yield from self._request(client, one, recorded, exchange, call)
        yield from self._ids(client, one, exchange, call)
        if call.operation == "pollTask" and Facet.RESPONSE_BODY in recorded.lacks:
            for row in ("C-7", *_OF_A_READER):
                self.tallies.lack(row, {Facet.RESPONSE_BODY})
        elif call.operation == "pollTask" and asked.offset is not None and in_order:
            self._poll(client, call.ids["task_id"], ThreadedPoll(trimmed(exchange), asked.offset, one))
        elif call.operation == "sendMessage":
            yield from self._message(client, one, exchange, asked.said)
        if call.operation in {"sendMessage", "createConversation"}:
            client.sent.append((one, trimmed(exchange)))

    # ---- single requests ----

    def _request(
        self, client: _Client, one: Served, recorded: RecordedExchange, exchange: Exchange, call: ApiCall
    ) -> Iterator[Seen]:
        """C-34 and C-38."""
        lacks = recorded.lacks & {Facet.REQUEST_HEADERS, Facet.REQUEST_BODY}
        if recorded.request_header("authorization") is None and exchange.status not in UNAUTHORIZED:
            lacks |= {Facet.REQUEST_HEADERS}  # what a server takes without a token was most likely told without it
        if lacks:
            self.tallies.lack("C-38", lacks)
        elif one.request.headers in client.right and not one.request.body:
            self.tallies.exercise("C-38")
        else:
            found = list(self._judge(client, "C-38", requests_right, [(one, exchange)]))
            if not found and call.operation == "pollTask" and len(client.right) < _MOST_HEADERS:
                client.right.add(one.request.headers)
            yield from found
        if client.key.token and client.key.token in unquote(call.target):  # all of it: ids may share a word with it
            yield from self._judge(client, "C-34", token_kept, [(one, exchange)])
        else:
            self.tallies.exercise("C-34")

    def _ids(self, client: _Client, one: Served, exchange: Exchange, call: ApiCall) -> Iterator[Seen]:
        """C-19, C-20 and C-31: names and ids are used once they are there, and as they were given."""
        invented = made_up(seen_of([one], "")) is not None
        if invented:
            told = f"It asked for {exchange.request.target[:80]}, with an id that nobody gave it."
            yield from self._violate(client, "C-31", told, (exchange,), "")
            return
        self.tallies.exercise("C-31")
        refused = exchange.status in _NEVER_GIVEN
        workspace, task = call.ids.get("workspace_id"), call.ids.get("task_id")
        if workspace is not None:
            if workspace in self._known.workspaces:
                self.tallies.exercise("C-19")
            elif refused and exchange.status == 404:
                told = f"It used the workspace {workspace[:80]!r}, and no request in the recording ensured that before."
                yield from self._violate(client, "C-19", told, (exchange,), "")
        known = self._known.tasks.get(task or "")
        if known is not None and known.is_made_here:
            self.tallies.exercise("C-20")
        elif task and refused and (given := self._like(task)):
            told = f"It asked for the task {task[:80]!r} where the server had given {given[:80]!r}."
            yield from self._violate(client, "C-20", told, (exchange,), "")

    def _like(self, task_id: str) -> str | None:
        """A task's id that was given, of which another one is a changed spelling."""
        cut, small = task_id[:_LIKE], task_id.lower()
        made = (known for known in reversed(list(self._known.tasks)[-1000:]) if self._known.tasks[known].is_made_here)
        return next(
            (one for one in made if one.lower() == small or (len(cut) == _LIKE and one.startswith(task_id))), None
        )

    # ---- messages ----

    def _message(self, client: _Client, one: Served, exchange: Exchange, said: Any) -> Iterator[Seen]:
        """C-17: no message is sent again by a client of its own."""
        message = said.get("message") if isinstance(said, dict) else None
        before = next((pair for pair in reversed(client.sent) if pair[0].request.body == one.request.body), None)
        if not isinstance(message, str) or before is None or before[0].request.path != one.request.path:
            self.tallies.exercise("C-17")
            return
        waited = one.at - before[0].done_at
        if waited < (_AT_ONCE if before[1].ok else _SOON):
            yield from self._judge(client, "C-17", message_once, [before, (one, exchange)], message=message)

    # ---- polls ----

    def _poll(self, client: _Client, task_id: str, poll: ThreadedPoll) -> None:
        readers = client.tasks.pop(task_id, None)
        if readers is None:
            task = self._known.tasks.get(task_id)
            readers = TaskReaders(task_id, bool(task and task.is_made_here and task.token == client.key.token))
        client.tasks[task_id] = readers
        before = readers.polls
        readers.add(poll)
        self._polls += readers.polls - before
        if self._polls > _MOST_POLLS:
            oldest = next(iter(client.tasks))
            self._conclude(client, client.tasks.pop(oldest))

    def conclude(self) -> None:
        """Judge what only the end shows."""
        for client in self._clients.values():
            for readers in client.tasks.values():
                self._conclude(client, readers)
            client.tasks.clear()
            for _ in self._judge(client, "C-13", pauses, list(client.sent)):
                pass

    def _conclude(self, client: _Client, readers: TaskReaders) -> None:
        self._polls -= readers.polls
        for way in readers.ways:
            pairs = [(poll.served, poll.exchange) for poll in way]
            judges = dict(_OF_A_READER)
            if readers.is_own or way[0].offset == 0:
                judges["C-7"] = offsets
            for row, judge in judges.items():
                for _ in self._judge(client, row, judge, pairs, task_id=readers.task_id):
                    pass

    # ---- what came of it ----

    def _judge(
        self,
        client: _Client,
        row: str,
        judge: Judge,
        requests: list[tuple[Served, Exchange]],
        *,
        message: str = "",
        task_id: str = "",
    ) -> Iterator[Seen]:
        told = judge(seen_of([one for one, _ in requests], client.key.token, message))
        self.tallies.exercise(row, max(0, told.exercised - len(told.violations)))
        for misstep in told.violations:
            shown = tuple(exchange for one, exchange in requests if any(one is shown for shown in misstep.shown_by))
            yield from self._violate(client, row, misstep.sentence, shown, task_id)

    def _violate(
        self, client: _Client, row: str, sentence: str, shown: tuple[Exchange, ...], task_id: str
    ) -> Iterator[Seen]:
        if row in _MISLED and self._is_misled(task_id):
            self.tallies.excuse(row, f"{sentence} The server's answers before were at fault, and it did as they said.")
            return
        name = f"{client.key.name}: " if len(self._clients) > 1 else ""
        kept = tuple(trimmed(exchange) for exchange in shown)
        yield self.tallies.violate(Seen(row, f"{name}{sentence}", kept, task_id))
