"""Exchanges and checks as the report's JSON, every secret taken out on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sendpoll.conformance.http.curl import curl_line
from sendpoll.conformance.http.exchange import Exchange
from sendpoll.conformance.http.limits import KEPT_BYTES
from sendpoll.conformance.results.report_json import TaskTold
from sendpoll.conformance.rules.polled_task import PolledTask
from sendpoll.conformance.rules.tally import Shown
from sendpoll.core.target.target import Target
from sendpoll.core.text.secrets import HIDDEN, MASK, Redactor
from sendpoll.schemas.contract import JSON, own_words

SHOWN_TASKS = 24
"""Tasks of which a report shows each poll."""
_KEPT_EXCHANGES = 3
"""Exchanges that are shown of one violation."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What must not be told, and what may stand in its place in a command that sends a request again."""

    redactor: Redactor
    header_names: frozenset[str] = frozenset()
    """The names, in lower case, of headers whose values are hidden: a short value is found by no other means."""
    token: str = MASK
    second_token: str | None = None


class Evidence:
    """Turns what was recorded into what is reported: trimmed, relative to the run's start, without secrets."""

    def __init__(self, base_url: str, started: float, secrets: Secrets) -> None:
        self._base_url = base_url
        self._started = started
        self._secrets = secrets
        self._redactor = secrets.redactor

    @classmethod
    def of_target(cls, target: Target, started: float) -> Evidence:
        """For what was recorded of a target, whose secrets are known."""
        secrets = Secrets(Redactor(target.secrets), target.secret_headers, target.token, target.second_token)
        return cls(target.base_url, started, secrets)

    def text(self, text: str) -> str:
        """A text that a server may have had a part in, and may have made long."""
        return self._redactor.text(text if len(text) <= KEPT_BYTES else f"{text[:KEPT_BYTES]}...")

    def since_start(self, moment: float) -> float:
        """A moment of the monotonic clock in seconds from the start of the run."""
        return round(moment - self._started, 4)

    def violations(self, shown: Iterable[Shown], unshown: int = 0) -> list[JSON]:
        """Violations, those with the same sentence folded into one with a count."""
        folded: dict[str, JSON] = {}
        for violation in shown:
            sentence = self.text(violation.sentence)
            entry = folded.setdefault(sentence, {"sentence": sentence, "count": 0, "exchanges": []})
            entry["count"] += 1
            if entry["count"] == 1:
                entry["exchanges"] = [self.exchange(one) for one in violation.exchanges[:_KEPT_EXCHANGES]]
        found = list(folded.values())
        if found and unshown:
            found[-1]["count"] += unshown
        return found

    def exchange(self, exchange: Exchange) -> JSON:
        """One exchange."""
        request, response = exchange.request, exchange.response
        url = f"{self._base_url}{request.target}"
        told: dict[str, Any] = {
            "number": exchange.number,
            "operation": request.operation,
            "shape": request.shape,
            "request": {
                "method": request.method,
                "target": request.target,
                "headers": [list(pair) for pair in self._headers(request.headers)],
                "body": None if request.body is None else _shown(request.body),
            },
            "response": None
            if response is None
            else {
                "status": response.status,
                "reason": response.reason,
                "headers": [list(pair) for pair in self._headers(response.headers[:60])],
                "body": exchange.content.text[:KEPT_BYTES] if exchange.content.text else _shown(response.body),
                "body_bytes": response.size,
            },
            "failure": exchange.outcome if exchange.failure else "",
            "at_s": self.since_start(exchange.timing.started),
            "took_s": round(exchange.timing.finished - exchange.timing.started, 4),
        }
        redacted: JSON = self._redactor.data(told, own_words("files/report.json"))
        secrets, headers = self._secrets, list(self._headers(request.headers))
        line = curl_line(request.method, url, headers, request.body, secrets.token, secrets.second_token)
        redacted["curl"] = self._redactor.text(line)
        return redacted

    def _headers(self, headers: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        """The headers, secret ones by their names alone."""
        for name, value in headers:
            yield name, HIDDEN if name.lower() in self._secrets.header_names else value

    def task(self, task: PolledTask, label: str) -> TaskTold:
        """A task and its polls; `label` says what was asked."""
        return {
            "task_id": self.text(task.task_id),
            "prompt": self.text(label),
            "final_status": self.text(task.history.status) if task.is_over else None,
            "events": len(task.history.log),
            "polls": [
                {
                    "reader": note.reader,
                    "asked": note.asked,
                    "at_s": self.since_start(note.sent_at),
                    "took_s": round(note.received_at - note.sent_at, 4),
                    "status": self.text(note.status),
                    "events": note.events,
                    "next_offset": note.next_offset,
                    "text": self.text(note.text),
                }
                for note in task.notes
            ],
        }


def _shown(body: bytes) -> str:
    return body[:KEPT_BYTES].decode("utf-8", "backslashreplace")
