"""Sends the exchanges of a failed requirement again and says what the server does now.

What one exchange alone shows is judged again like this, where the server still has what the exchange is about. What
only the polls of a whole task show is judged on a new task of the same message. Everything else is told as what it is,
with the command that checks it anew: a guess would be worse.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from sendpoll.conformance.http.exchange import Exchange, Failure, Request, Timing
from sendpoll.conformance.results.report_json import ExchangeTold, Report, Row, ViolationTold
from sendpoll.conformance.rules.rules import RULES, observe
from sendpoll.conformance.rules.verdict import Verdict
from sendpoll.conformance.server.replay.recorded_request import ReplayError, refuse_what_is_no_call, request_of
from sendpoll.conformance.server.replay.replay_task import JUDGED, Recorded, Reread, read_anew
from sendpoll.conformance.server.transport.connection import Connection, NoConnectionError
from sendpoll.core.dialing.dial import Dialer
from sendpoll.core.target.target import Target

_TRAFFIC = "test_traffic.py"
"""The check that applies the rules; what it found, one exchange shows."""
_RULED = frozenset(rule.requirement for rule in RULES)
_NOTHING = Recorded()
_GONE = frozenset({404, 410})
_REFUSED = frozenset({401, 403})


class Now(StrEnum):
    """What a violation came to when it was tried again."""

    FIXED = "fixed"
    STILL_FAILING = "still failing"
    CANNOT_TELL = "cannot tell"


class ReplayCode(IntEnum):
    """What `sendpoll replay` tells the shell."""

    FIXED = 0
    STILL_FAILING = 1
    CANNOT_TELL = 3


@dataclass(frozen=True, slots=True)
class Outcome:
    """One violation, tried again."""

    violation: str
    """What was observed then."""
    now: Now
    told: str
    """What is observed now, or why nothing can be said."""


@dataclass(frozen=True, slots=True)
class _Sent:
    then: ExchangeTold
    now: Exchange


def failed_row(report: Report, identifier: str) -> Row:
    """The row of a report that is to be replayed.

    Raises ReplayError where it did not fail, and where it would have something sent that is no call of the API.
    """
    rows: dict[str, Row] = {row["id"]: row for row in report["requirements"]}
    failed = [row["id"] for row in rows.values() if row["verdict"] == Verdict.FAIL]
    row = rows.get(identifier.strip().upper())
    if row is None or row["verdict"] != Verdict.FAIL:
        came = f"came to {row['verdict'].replace('_', ' ')}" if row else "is not in this report"
        others = f"failed in it: {', '.join(failed)}" if failed else "no row failed in it"
        raise ReplayError(f"{identifier} {came}; {others}")
    if row["id"] in _RULED:
        refuse_what_is_no_call(row)
    return row


def replay(row: Row, target: Target, recorded: Recorded = _NOTHING) -> Iterator[Outcome]:
    """Send the exchanges of each violation of a row again, in order, and judge what comes.

    A message is sent anew for each kind of task (`recorded`) in which the oracle had found a violation.
    """
    reread: dict[str, Reread] = {}
    for violation in row["violations"]:
        kind = _kind(row, violation, recorded)
        if kind is None:
            now, told = _again(row, violation, target)
        else:
            if kind not in reread:
                reread[kind] = read_anew(kind, recorded, target)
            now, told = _judged_task(row, reread[kind])
        yield Outcome(violation["sentence"], now, told)


def messages(row: Row, recorded: Recorded = _NOTHING) -> int:
    """How many messages a replay of the row sends."""
    kinds = [_kind(row, violation, recorded) for violation in row["violations"]]
    exchanges = [
        exchange
        for kind, violation in zip(kinds, row["violations"], strict=True)
        if kind is None and row["id"] in _RULED
        for exchange in violation["exchanges"]
    ]
    sent = [exchange for exchange in exchanges if exchange.get("operation") == "sendMessage"]
    return len(sent) + len({kind for kind in kinds if kind is not None})


def _kind(row: Row, violation: ViolationTold, recorded: Recorded) -> str | None:
    """The kind of task to be read anew for a violation; None where none needs to be, or the report names none."""
    return recorded.kind(violation) if row["id"] in JUDGED else None


def _judged_task(row: Row, reread: Reread) -> tuple[Now, str]:
    if reread.trouble:
        return Now.CANNOT_TELL, f"{reread.trouble}; {_check_anew(row)}"
    if row["id"] in reread.broken:
        return Now.STILL_FAILING, f"a new task of the same message: {reread.broken[row['id']]}"
    if not reread.ended:
        return Now.CANNOT_TELL, f"a new task of the same message did not come to its end; {_check_anew(row)}"
    return Now.FIXED, f"a new task of the same message was polled {reread.polls} times, and none contradicts another"


def replay_code(outcomes: Iterable[Outcome]) -> ReplayCode:
    """The exit code: still failing before cannot tell, and fixed only where every violation is."""
    seen = {outcome.now for outcome in outcomes}
    if Now.STILL_FAILING in seen:
        return ReplayCode.STILL_FAILING
    return ReplayCode.FIXED if seen == {Now.FIXED} else ReplayCode.CANNOT_TELL


def _again(row: Row, violation: ViolationTold, target: Target) -> tuple[Now, str]:
    if row["id"] not in _RULED or not violation["exchanges"]:
        return Now.CANNOT_TELL, f"a check of its own found it, and one exchange does not show it; {_check_anew(row)}"
    sent = []
    for exchange in sorted(violation["exchanges"], key=lambda exchange: int(exchange["number"])):
        request = request_of(exchange, row["id"], target)
        if request is None:
            return Now.CANNOT_TELL, f"the report does not hold the whole of its request; {_check_anew(row)}"
        sent.append(_Sent(exchange, send(request, target)))
    return _judged(row, sent)


def _judged(row: Row, sent: list[_Sent]) -> tuple[Now, str]:
    seen = False
    for one in sent:
        unreachable = one.now.failure is Failure.CONNECT
        if unreachable or _changed_to(one, _REFUSED) or _changed_to(one, _GONE):
            return Now.CANNOT_TELL, _why_not(one, row)
        for observation in observe(one.now):
            if observation.requirement == row["id"]:
                seen = True
                if observation.broken is not None:
                    return Now.STILL_FAILING, observation.broken
    if not seen:
        last = sent[-1].now.outcome
        return Now.CANNOT_TELL, f"it now answers {last}, which does not bear on it; {_check_anew(row)}"
    if not all(check.startswith(_TRAFFIC) for check in row["checks"]):
        return Now.CANNOT_TELL, f"the same exchange is well now, but more than that was checked; {_check_anew(row)}"
    return Now.FIXED, f"it now answers {sent[-1].now.outcome}, and nothing in it breaks the rule"


def _changed_to(one: _Sent, statuses: frozenset[int]) -> bool:
    before = one.then["response"]["status"] if one.then["response"] else 0
    return one.now.status in statuses and before not in statuses


def _why_not(one: _Sent, row: Row) -> str:
    if one.now.failure is Failure.CONNECT:
        return f"the server cannot be reached: {one.now.detail}"
    if one.now.status in _REFUSED:
        return f"it answers {one.now.outcome}; give the token of then with --token or SENDPOLL_TOKEN"
    return f"it answers {one.now.outcome}: what the exchange is about is gone; {_check_anew(row)}"


def _check_anew(row: Row) -> str:
    return f"check it anew: sendpoll check URL --only {row['id']}"


def send(request: Request, target: Target) -> Exchange:
    """One exchange over a connection of its own, in at most the target's patience for one."""
    deadline = time.monotonic() + target.timeouts.exchange
    try:
        with Connection(Dialer(target), deadline) as connection:
            answer = connection.exchange(request, deadline)
    except NoConnectionError as error:
        now = time.monotonic()
        timing = Timing(now, now, None, now, 0.0)
        return Exchange(1, request, None, timing, Failure.CONNECT, str(error))
    return Exchange(1, request, answer.response, answer.timing, answer.failure, answer.detail, stray=answer.stray)
