"""Exchanges and checks as the report's JSON, every secret taken out on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sendpoll.conformance.http.curl import curl_line
from sendpoll.conformance.http.exchange import Exchange, Request
from sendpoll.conformance.http.limits import KEPT_BYTES
from sendpoll.conformance.rules.tally import Shown
from sendpoll.core.target.target import Target
from sendpoll.core.text.secrets import HIDDEN, Redactor
from sendpoll.schemas.contract import JSON

_KEPT_VIOLATIONS = 60
"""Sentences of one row that differ: a server can be wrong in a thousand of them."""
_KEPT_EXCHANGES = 3
"""Exchanges that are shown of one violation."""


def bounded(violations: Sequence[JSON]) -> list[JSON]:
    """The first of a row's violations; what is left out is counted with the last of them."""
    kept = [*violations[:_KEPT_VIOLATIONS]]
    if len(violations) > _KEPT_VIOLATIONS:
        rest = sum(one["count"] for one in violations[_KEPT_VIOLATIONS:])
        kept[-1] = {**kept[-1], "count": kept[-1]["count"] + rest}
    return kept


class Evidence:
    """Turns what was recorded into what is reported: trimmed, relative to the run's start, without secrets."""

    def __init__(self, target: Target, started: float) -> None:
        self._target = target
        self._started = started
        self._redactor = Redactor(target.secrets)

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
        url = f"{self._target.base_url}{request.target}"
        told: dict[str, Any] = {
            "number": exchange.number,
            "operation": request.operation,
            "shape": request.shape,
            "request": {
                "method": request.method,
                "target": request.target,
                "headers": [list(pair) for pair in self._headers(request)],
                "body": None if request.body is None else _shown(request.body),
            },
            "response": None
            if response is None
            else {
                "status": response.status,
                "reason": response.reason,
                "headers": [list(pair) for pair in response.headers[:60]],
                "body": exchange.content.text[:KEPT_BYTES] if exchange.content.text else _shown(response.body),
                "body_bytes": response.size,
            },
            "failure": exchange.outcome if exchange.failure else "",
            "at_s": self.since_start(exchange.timing.started),
            "took_s": round(exchange.timing.finished - exchange.timing.started, 4),
        }
        redacted: JSON = self._redactor.data(told)
        target = self._target
        headers = list(self._headers(request))
        line = curl_line(request.method, url, headers, request.body, target.token, target.second_token)
        redacted["curl"] = self._redactor.text(line)
        return redacted

    def _headers(self, request: Request) -> Iterator[tuple[str, str]]:
        """The headers, the user's secret ones by their names alone: a short value is found by no other means."""
        for name, value in request.headers:
            yield name, HIDDEN if name.lower() in self._target.secret_headers else value


def _shown(body: bytes) -> str:
    return body[:KEPT_BYTES].decode("utf-8", "backslashreplace")
