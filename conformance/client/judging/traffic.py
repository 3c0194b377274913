"""What requests alone say: rules over the traffic of every situation, whatever else it is about."""

from __future__ import annotations

import functools
import json
import re
import statistics
from collections.abc import Iterator, Mapping
from itertools import pairwise
from types import MappingProxyType

from sendpoll.conformance.client.judging.observation import (
    Judge,
    Misstep,
    Observation,
    SituationTally,
    news,
    said,
)
from sendpoll.conformance.client.serving.messages import ReceivedRequest
from sendpoll.conformance.client.serving.responder import Served
from sendpoll.conformance.client.serving.right_api import RUNNING
from sendpoll.core.text.secrets import MASK, Redactor

_NO_PAUSE = 0.1
_SLOW_ANSWER = 1.0
"""Seconds from which on a client may have given up on an answer that we sent in the end."""
_MOST_SHOWN = 3
_NOT_TAKEN = frozenset({409, 423, 425, 429})
"""Statuses that say of a message that it was not taken."""
_PLACEHOLDERS = re.compile(r"/(?:null|undefined|None|nil|NaN)?(?:/|$)|%7B|\{|\[object")


def offsets(seen: Observation) -> SituationTally:
    """C-7: each poll asks from where the one before it led."""
    tally = SituationTally()
    for polls in _by_task(seen).values():
        expected, before = "0", None
        for poll in polls:
            asked = poll.request.query.get("from", ["0"])[0]
            again = before is not None and asked == before.request.query.get("from", ["0"])[0] and _may_repeat(before)
            tally.exercised += before is not None
            if asked != expected and not again:
                shown = (before, poll) if before is not None else (poll,)
                tally.violations.append(Misstep(f"It asked from={asked[:40]} where from={expected} was next.", shown))
            expected = str(news(poll).get("next_offset", expected))
            before = poll
    return tally


def _may_repeat(poll: Served) -> bool:
    """Whether a client may not have had the answer to a poll."""
    return not news(poll) or poll.done_at - poll.at > _SLOW_ANSWER


def _by_task(seen: Observation) -> Mapping[str, list[Served]]:
    found: dict[str, list[Served]] = {}
    for poll in seen.calls("pollTask"):
        found.setdefault(poll.request.path, []).append(poll)
    return found


def pauses(seen: Observation) -> SituationTally:
    """C-13: some time passes before a client asks again what it was told nothing new about."""
    tally = SituationTally()
    asked = [*_by_task(seen).values(), seen.calls("sendMessage"), seen.calls("createConversation")]
    for requests in asked:
        gaps = [(later.at - first.at, later) for first, later in pairwise(requests) if _brought_nothing(first)]
        if len(gaps) < 4:
            continue
        tally.exercised += 1
        middle = statistics.median(gap for gap, _ in gaps)
        if middle < _NO_PAUSE:
            shown = tuple(later for _, later in gaps[:_MOST_SHOWN])
            told = f"It asked {len(gaps)} times again, mostly {middle * 1000:.0f} ms after it was told nothing new."
            tally.violations.append(Misstep(told, shown))
    return tally


def _brought_nothing(poll: Served) -> bool:
    if poll.request.call != "pollTask":
        return not said(poll)
    found = news(poll)
    return not found or (found.get("status") == RUNNING and not found.get("events"))


def message_once(seen: Observation) -> SituationTally:
    """C-17: no message is sent again that may have been taken."""
    tally = SituationTally()
    for player in seen.situation.players:
        sent = [one for one in seen.calls("sendMessage") if _message(one) == player.message] or (
            seen.calls("sendMessage") if len(seen.situation.players) == 1 else []
        )
        tally.exercised += bool(sent)
        for first, again in pairwise(sent):
            if first.given is None or first.lost or first.given.status not in _NOT_TAKEN:
                came = f"{first.given.status}" if first.given and not first.lost else f"no whole answer ({first.ended})"
                told = f"It sent its message again after {came}, though the server may have taken it."
                tally.violations.append(Misstep(told, (first, again)))
    return tally


def _message(served: Served) -> object:
    found = served.request.said
    return found.get("message") if isinstance(found, dict) else None


def token_kept(seen: Observation) -> SituationTally:
    """C-34: the token stands in Authorization alone."""
    tally = SituationTally(exercised=len(seen.served))
    hides = _hiding(seen.token)
    for one in (*seen.served, *seen.elsewhere):
        if MASK in hides.text(one.request.target):
            tally.violations.append(Misstep("It wrote the token into a URL.", (one,)))
    for ran in seen.runs:
        for text, where in ((ran.shown, "showed its user"), (ran.words, "said")):
            if MASK in hides.text(text):
                tally.violations.append(Misstep(f"The token stands in what it {where}."))
    return tally


@functools.lru_cache(maxsize=64)
def _hiding(token: str) -> Redactor:
    return Redactor([token])


def requests_right(seen: Observation) -> SituationTally:
    """C-38: each request is one of HTTP, and as the API has it."""
    tally = SituationTally(exercised=len(seen.served))
    tally.violations.extend(Misstep(f"It sent what is no request of HTTP/1: {told}.") for told in seen.unreadable)
    for one in seen.served:
        if (wrong := next(_wrong(one.request), "")) and len(tally.violations) < 20:
            tally.violations.append(Misstep(wrong, (one,)))
    return tally


def _wrong(request: ReceivedRequest) -> Iterator[str]:
    """In what a request is not as HTTP and the API have it."""
    if len(request.all("Host")) != 1 and request.version != "1.0":
        yield f"It sent {len(request.all('Host'))} Host headers (RFC 9112 section 3.2)."
    if request.call == "preflight":
        return
    credentials = request.all("Authorization")
    if not credentials:
        yield "It sent no Authorization."
    elif len(credentials) > 1 or not re.fullmatch(r"bearer \S+", credentials[0], re.IGNORECASE):
        yield "It sent another Authorization than one Bearer and the token."
    if request.method == "POST" and request.body:
        yield from _wrong_body(request)
    elif request.call in {"createWorkspace", "sendMessage"}:
        yield "It sent no body."


def _wrong_body(request: ReceivedRequest) -> Iterator[str]:
    media_type = (request.header("Content-Type") or "no media type").partition(";")[0].strip().lower()
    if media_type != "application/json":
        yield f"It sent a body as {media_type}, not as application/json."
    try:
        text = request.body.decode("utf-8")
    except UnicodeDecodeError:
        yield "It sent a body that is no UTF-8."
        return
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        yield f"It sent a body that is no JSON ({error})."
        return
    if not isinstance(found, dict):
        yield "It sent a body that is no JSON object."


def made_up(seen: Observation) -> Served | None:
    """The first request whose path has something in place of an id that was never given; None if there is none."""
    return next((one for one in seen.served if _PLACEHOLDERS.search(one.request.path.removeprefix("/api/v1"))), None)


ALL_TRAFFIC: Mapping[str, Judge] = MappingProxyType(
    {
        "C-7": offsets,
        "C-13": pauses,
        "C-17": message_once,
        "C-34": token_kept,
        "C-38": requests_right,
    }
)
"""The rows that are judged in every situation."""
