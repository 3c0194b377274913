"""Makes one user's calls: sends, judges what every call has in common, and books it, in Locust's statistics too."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from sendpoll.core.dialing.dial import CREDENTIALS
from sendpoll.load.http.client import Answer
from sendpoll.load.http.response import MalformedAnswerError
from sendpoll.load.http.transport import ExchangeError
from sendpoll.load.measure.records import Exchange, ViolationRecord
from sendpoll.load.measure.refusal import OF_ANY_CALL, OF_NEW_WORK, Refusal
from sendpoll.load.users.generator import Generator
from sendpoll.load.users.pause import pause_until
from sendpoll.load.users.validation import Breach

_SHOWN_CHARACTERS: Final = 2000
"""Of a body that is kept as evidence."""
_PAUSES_S: Final = (1.0, 2.0, 4.0, 8.0)
"""Before each further try of a refused call where the server does not say how long to wait; the last one for ever."""
_BRIDGE_S: Final = 0.5
"""Before each further try in an outage."""
_UNSENT: Final = frozenset({"connect", "connect timeout"})
"""Kinds of failures of which no server has heard."""
_FORGOTTEN: Final = frozenset({404, 410})
_OUTAGES: Final = frozenset({502, 503, 504})
_LEAST_PAUSE_S: Final = 0.1
"""A server that says "now" is not asked in a busy loop."""
OVERLOAD_OR_ACCESS: Final = frozenset({401, 403, 429})
"""Refusals that break nothing: the operator's token is wrong, or the server says that it is asked too much."""


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One of the four calls, made for one purpose, as statistics and reports name it."""

    method: str
    path: str
    """As Locust's tables show it: without ids."""
    kind: str
    """As error counts show it."""
    refused: str
    """The requirement that a refusal breaks; empty where a clear refusal is as good as consent."""


WORKSPACE: Final = Call("POST", "/workspaces", "POST workspaces", "WS-3")
CONVERSATION: Final = Call("POST", "/conversations", "POST conversations", "CONV-1")
MESSAGE: Final = Call("POST", "/messages", "POST messages", "MSG-1")
MESSAGE_AFTER_LEAVING: Final = dataclasses.replace(MESSAGE, refused="")
"""The answer that the user left may still be running."""
FOLLOW_UP: Final = Call("POST", "/messages (at once)", "POST messages at once", "")
POLL: Final = Call("GET", "/tasks/{id}", "GET task", "MSG-2")
FOLLOW_UP_POLL: Final = Call("GET", "/tasks/{id} (at once)", "GET task of a message at once", "MSG-2")
REREAD: Final = Call("GET", "/tasks/{id} (again)", "GET task again", "MSG-2")
SECOND_READER: Final = Call("GET", "/tasks/{id} (second reader)", "GET task by a second reader", "MSG-2")


_MAY_BE_BUSY: Final = frozenset(call.kind for call in (CONVERSATION, MESSAGE, FOLLOW_UP))
"""What may be refused because another task runs."""


def busy_reason(call: Call, status: int) -> str | None:
    """Why a sane server may refuse a call with that status for the moment; None where it says something else."""
    reason = OF_NEW_WORK.get(status) if call.kind in _MAY_BE_BUSY else None
    return reason or OF_ANY_CALL.get(status)


class CallFailed(Exception):  # noqa: N818 - an outcome of the server under test, not a fault of this program
    """A call that brought nothing to go on with. The message says why, without secrets."""

    def __init__(
        self, sentence: str, evidence: Exchange | None = None, refusal: Refusal | None = None, kind: str = ""
    ) -> None:
        super().__init__(sentence)
        self.kind = kind
        """The kind of failure, where no answer came."""
        self.evidence = evidence
        self.refusal = refusal
        """What was said by a server that takes no more now; None where it failed in another way."""

    @property
    def status(self) -> int:
        """The HTTP status; 0 where no answer came."""
        return self.evidence.status if self.evidence else 0

    def is_outage(self, call: Call) -> bool:
        """Whether the server seems to be away, and the call may be made again: a POST only if it was never sent."""
        if call.method != "GET":
            return self.kind in _UNSENT
        return self.kind in _UNSENT | {"reset", "timeout"} or self.status in _OUTAGES

    @property
    def is_refusal(self) -> bool:
        """Whether the server understood the call and said clearly that it will not do it, or not now."""
        return self.refusal is not None or (400 <= self.status < 500 and self.status not in OVERLOAD_OR_ACCESS)


_NEVER_REACHED = frozenset({"name", "connect", "connect timeout", "tls", "proxy"})
"""Kinds of failures in which nobody has heard of a server."""

Log = Callable[[Call, float, int, str | None], None]
"""Counts a request in Locust's statistics: the call, milliseconds, body bytes, and why it failed."""


class Caller:
    """Speaks for one user over the user's connection."""

    def __init__(self, generator: Generator, user: int, log: Log) -> None:
        self._generator = generator
        self._client = generator.connect()
        self._log = log
        self.user = user
        self.workspace = generator.workspace_of(user)
        self.request_builder = generator.request_builder_of(user)
        self._has_renewed = False
        """Whether requests that were built before may bear a token that is over."""
        self.refusals = 0
        """How often it was refused for the moment."""
        self.refused_with = 0
        """The HTTP status of the last time."""
        self.outages = 0
        """How often it made a call again that an outage had cut off."""

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def ask(self, call: Call, request: bytes, broken: list[Breach], until: float) -> Answer:
        """Make a call; where users wait when they are refused, again and again until then, by `time.perf_counter`.

        Raises CallFailed: the last refusal, or any other failure.
        """
        try:
            return self.call(call, request, broken)
        except CallFailed as failure:
            return self.ask_again(failure, call, request, broken, until)

    def ask_again(self, failure: CallFailed, call: Call, request: bytes, broken: list[Breach], until: float) -> Answer:
        """What `ask` does once a call has failed: whoever asks thousands of times a second makes the first try itself.

        Raises CallFailed as `ask` does.
        """
        tries = 0
        while True:
            pause = self._pause_after(call, failure, tries)
            if pause is None:
                raise failure
            again_at = time.perf_counter() + pause
            if again_at >= until:
                raise failure
            pause_until(again_at)
            tries += 1
            try:
                return self.call(call, request, broken)
            except CallFailed as again:
                failure = again

    def _pause_after(self, call: Call, failure: CallFailed, tries: int) -> float | None:
        """Seconds until its user makes a call again that failed; None where it gives up."""
        scenario, told = self._generator.scenario, failure.refusal.retry_after_s if failure.refusal else None
        if failure.refusal is not None and scenario.on_refusal == "wait":
            return _PAUSES_S[min(tries, len(_PAUSES_S) - 1)] if told is None else max(told, _LEAST_PAUSE_S)
        if scenario.on_outage == "wait" and failure.is_outage(call):
            self.outages += 1
            return max(told or 0.0, _BRIDGE_S)
        return None

    def call(self, call: Call, request: bytes, broken: list[Breach]) -> Answer:
        """Make a call and return its 2xx answer. What it breaks is booked and added to `broken`.

        One that is refused since its token is over is made again under another, where there is a command for that.
        Raises CallFailed for everything that is no 2xx answer.
        """
        answer = self._exchanged(call, request, broken)
        if answer.status == HTTPStatus.UNAUTHORIZED and self._renews_token():
            answer = self._exchanged(call, request, broken)
        return self._judged(call, request, answer, broken)

    def _renews_token(self) -> bool:
        """Whether this user has another token now than the one that was refused."""
        if not self._generator.has_renewed(self.request_builder.token):
            return False
        self.request_builder = self._generator.request_builder_of(self.user)
        self._has_renewed = True
        return True

    def _exchanged(self, call: Call, request: bytes, broken: list[Breach]) -> Answer:
        """Whatever is answered to a request, sent under the token that this user has now."""
        generator = self._generator
        if self._has_renewed:
            request = self.request_builder.under_own_token(request)
        try:
            return self._client.exchange(request, repeatable=call.method == "GET")
        except ExchangeError as error:
            if error.limit is not None:
                generator.met_limit(error.limit)
            if not generator.answered and error.kind in _NEVER_REACHED:
                generator.unconnected = str(error)
            raise self._failed(call, error.kind, str(error), self._unread(request)) from error
        except MalformedAnswerError as error:
            generator.answered += 1
            evidence = self._unread(request)
            for fault in error.faults:
                self.book(broken, fault.requirement, fault.sentence, (evidence,))
            raise self._failed(call, "malformed answer", error.sentence, evidence) from error

    def _judged(self, call: Call, request: bytes, answer: Answer, broken: list[Breach]) -> Answer:
        """The answer, if it is a success. Raises CallFailed for any other."""
        generator = self._generator
        if 200 <= answer.status < 300:
            generator.answered += 1
            self._log(call, (answer.received_at - answer.sent_at) * 1e3, len(answer.body), None)
            return answer
        evidence = self.evidence(request, answer)
        if answer.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            sentence = f"the proxy answered {answer.status}; {CREDENTIALS}"
            generator.unconnected = sentence  # a server never says this: nobody has heard of the target
            raise self._failed(call, "proxy", sentence, evidence)
        generator.answered += 1
        if (reason := busy_reason(call, answer.status)) is not None:
            raise self._refused(call, answer, reason, evidence)
        self._judge_status(call, evidence, broken)
        told = f"; {generator.unrenewed}" if answer.status == HTTPStatus.UNAUTHORIZED and generator.unrenewed else ""
        raise self._failed(call, str(answer.status), f"status {answer.status}{told}", evidence)

    def _judge_status(self, call: Call, evidence: Exchange, broken: list[Breach]) -> None:
        """A refusal of what this user may do breaks a requirement; being overloaded is no more than a failure."""
        status = evidence.status
        if 300 <= status < 400:
            requirement = "REQ-9"
        elif status == 409 and call is WORKSPACE:
            requirement = "WS-2"
        elif status in _FORGOTTEN and call.method == "GET" and self._generator.scenario.on_outage == "wait":
            return  # a task that the server has lost is lost; whether it should be is for check --restart to say
        elif 400 <= status < 500 and status not in OVERLOAD_OR_ACCESS:
            requirement = call.refused
        else:
            return
        if requirement:
            self.book(broken, requirement, f"{call.kind} answered {status}", (evidence,))

    def _refused(self, call: Call, answer: Answer, reason: str, evidence: Exchange) -> CallFailed:
        label = f"{call.kind}: {answer.status} ({reason})"
        self._generator.metrics.refusal(label)
        self.refusals += 1
        self.refused_with = answer.status
        sentence = self._sampled(call, label, f"status {answer.status}, {reason}", evidence)
        return CallFailed(sentence, evidence, Refusal(answer.status, answer.retry_after_s))

    def _failed(self, call: Call, kind: str, sentence: str, evidence: Exchange) -> CallFailed:
        label = f"{call.kind}: {kind}"
        self._generator.metrics.error(label)
        return CallFailed(self._sampled(call, label, sentence, evidence), evidence, kind=kind)

    def _sampled(self, call: Call, label: str, sentence: str, evidence: Exchange) -> str:
        """Keep the first exchange of its kind, and count it with Locust; the sentence without secrets."""
        generator = self._generator
        sentence = generator.redactor.text(f"{call.kind}: {sentence}")
        if label not in generator.samples:
            generator.samples[label] = {"kind": label, "sentence": sentence, **dataclasses.asdict(evidence)}
        self._log(call, (evidence.received_at - evidence.sent_at) * 1e3, len(evidence.body), sentence)
        return sentence

    def book(self, broken: list[Breach], requirement: str, sentence: str, evidence: Sequence[Exchange]) -> None:
        """Count a broken requirement and keep its proof; a task is broken by a MUST alone."""
        sentence = self._generator.redactor.text(sentence)
        at = self._generator.since_start(time.perf_counter())
        violation = ViolationRecord(requirement, sentence, at, self.user, tuple(evidence))
        self._generator.metrics.violation(violation)
        if violation.is_must:
            broken.append((requirement, sentence))

    def book_findings(self, broken: list[Breach], findings: Sequence[Breach], request: bytes, answer: Answer) -> None:
        """Count what a body does that its schema forbids."""
        for requirement, sentence in findings:
            self.book(broken, requirement, sentence, (self.evidence(request, answer),))

    def evidence(self, request: bytes, answer: Answer) -> Exchange:
        """An exchange as evidence: redacted, and cut where it is long."""
        since_start = self._generator.since_start
        return Exchange(
            self._request_line(request),
            since_start(answer.sent_at),
            since_start(answer.received_at),
            answer.status,
            self.shown(answer.body.decode("utf-8", "backslashreplace")),
        )

    def shown(self, text: str) -> str:
        """A text as evidence. What is cut away is cut after the redaction, so that no half of a secret is left."""
        redacted = self._generator.redactor.text(text[: 2 * _SHOWN_CHARACTERS])
        return redacted if len(redacted) <= _SHOWN_CHARACTERS else f"{redacted[:_SHOWN_CHARACTERS]}..."

    def _unread(self, request: bytes) -> Exchange:
        now = self._generator.since_start(time.perf_counter())
        return Exchange(self._request_line(request), now, now, 0, "")

    def _request_line(self, request: bytes) -> str:
        line = request.partition(b"\r\n")[0].decode("latin-1")
        return self._generator.redactor.text(line.removesuffix(" HTTP/1.1"))
