"""The judge of traffic: exchanges in, in the order of their answers; violations out at once, and the report at the end.

    judge = TrafficJudge(Judgement(), secrets=[token])
    for recorded in exchanges:
        for seen in judge.add(recorded):
            print(seen.requirement, seen.sentence)
    report = judge.report()

Files are judged with it (`judge_files.py`), and so can live traffic be. Memory is bounded, however long it goes on.
Not safe for several threads at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from sendpoll.conformance.recordings.api_calls import find_call
from sendpoll.conformance.recordings.judged_server import JudgedServer
from sendpoll.conformance.recordings.recorded_exchange import RecordedExchange
from sendpoll.conformance.recordings.rows.row_tallies import Seen
from sendpoll.conformance.recordings.traffic_report import NOTHING, Remarks, build_report
from sendpoll.conformance.recordings.writing.masks import Masks
from sendpoll.conformance.results.judgement import Judgement
from sendpoll.conformance.results.report_json import Report
from sendpoll.core.oracle import Poll
from sendpoll.core.text.units import counted

UNKNOWN_SERVER = "http://unrecorded.invalid"
"""Stands for the server of a recording that does not name it (RFC 2606 keeps the name free)."""
_MOST_SERVERS = 16
_LISTED = 3


class TrafficJudge:
    """Judges whatever it is given, by the rows of servers and of clients."""

    def __init__(self, judgement: Judgement, *, secrets: Iterable[str] = (), base_url: str | None = None) -> None:
        """`secrets` are masked beside every Authorization that is seen; `base_url` is the server that is judged.

        Without it, it is the one that most calls went to.
        """
        self._judgement = judgement
        self._masks = Masks(secrets)
        self._wanted = base_url.rstrip("/") if base_url else None
        self._servers: dict[str, JudgedServer] = {}
        self._unjudged: Counter[str] = Counter()
        """Base URL to the calls of it that were left out."""
        self._others = 0
        self._number = 0

    def add(self, recorded: RecordedExchange, *, in_order: bool = True) -> list[Seen]:
        """Judge an exchange, if it is a call of the API; the violations that it adds.

        `in_order` is whether its answer came after those of all exchanges before; the polls of a task of which one did
        not are held against each other no more.
        """
        self._number += 1
        call = find_call(recorded.method, recorded.url)
        if call is None:
            self._others += 1
            return []
        server = self._server(call.base)
        if server is None:
            self._unjudged[call.base] += 1
            return []
        self._masks.learn_from(recorded)
        return server.add(self._number, recorded, call, in_order=in_order)

    def add_poll(self, base_url: str, task_id: str, poll: Poll) -> list[Seen]:
        """Judge a poll of which nothing is known but what the oracle compares."""
        server = self._server(base_url.rstrip("/"))
        return [] if server is None else server.add_poll(task_id, poll)

    def add_told(
        self, place: str, polls: int, violations: Sequence[tuple[str, str]], *, has_events: bool, is_over: bool
    ) -> None:
        """Take over what a load user, who goes by the same rules, said of a task of an unknown server."""
        server = self._server(UNKNOWN_SERVER)
        if server is not None:
            server.add_told(place, polls, violations, has_events=has_events, is_over=is_over)

    def _server(self, base: str) -> JudgedServer | None:
        if self._wanted is not None and base != self._wanted:
            return None
        if base not in self._servers and len(self._servers) < _MOST_SERVERS:
            self._servers[base] = JudgedServer(base)
        return self._servers.get(base)

    def report(self, notes: Sequence[str] = ()) -> Report:
        """Conclude, and tell what the traffic came to. Nothing is added afterwards."""
        judged = max(self._servers.values(), key=lambda server: (server.calls, server.told), default=None)
        for base, server in self._servers.items():
            if server is not judged:
                self._unjudged[base] += server.calls
        if judged is not None:
            judged.conclude()
        told = Remarks([*notes, *self._left_out()], self._trouble())
        return build_report(judged, self._judgement, self._masks, told)

    def _trouble(self) -> str:
        if self._wanted is not None and self._unjudged:
            return (
                f"no call of the API went to {self._wanted}; they went to {', '.join(list(self._unjudged)[:_LISTED])}"
            )
        return NOTHING

    def _left_out(self) -> list[str]:
        notes = []
        if self._others:
            notes.append(f"{counted(self._others, 'exchange')} left out: their paths are none of the API's.")
        for base, count in self._unjudged.most_common(_LISTED):
            mend = f"; --url {base} judges it" if self._wanted is None else ""
            notes.append(f"{counted(count, 'call')} of another server left out: {base}{mend}.")
        more = len(self._unjudged) - _LISTED
        if more > 0:
            notes.append(f"{counted(more, 'further server')} left out.")
        return notes
