"""Offsets that no client sends on purpose, on tasks that run and tasks that are over."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from sendpoll.conformance.http.exchange import Exchange, Intent
from sendpoll.conformance.rules.predicates import poll_data
from sendpoll.conformance.server.checks.check_result import CheckResult
from sendpoll.conformance.server.inputs.fuzzing import explore
from sendpoll.conformance.server.inputs.negative_offsets import fuzzed_queries, odd_queries, queries_of_clients
from sendpoll.conformance.server.probing.recorded_tasks import Corpus, behind_any_end
from sendpoll.conformance.server.probing.run_context import RunContext
from sendpoll.conformance.server.probing.task_readers import RecordedTask, read_rest
from sendpoll.core.oracle import essence

STAGE = 4
_MORE_DIGITS = 4400
"""More than Python makes a number of: int() raises beyond 4300."""
_READ_EVERY = 20
"""Fuzzed polls after which the log is read again."""
_UNSTEADY = "the log is another each time that it is read, without any odd offset"
_NO_END = "the offsets do not grow, so none lies behind the end"


@pytest.fixture(name="task")
def _task(bench: RunContext, corpus: Corpus, case: CheckResult) -> RecordedTask:
    """A task that is over, with events, and known to its end: best one that does not contradict itself."""
    given = Counter(task.task_id for task in bench.tasks)
    over = [
        task
        for task in bench.finished
        if task.unusable is None and task.history.log and len(task.history.offsets) > 1 and given[task.task_id] == 1
    ]
    if any(count > 1 for count in given.values()) and not over:
        case.not_exercised("task ids were given to two messages each, so no log is one task's; ISO-1 tells")
    if not over:
        case.not_exercised("no task that came to its end with events can still be read")
    return min(over, key=lambda task: len(task.contradictions))


def _probe(context: RunContext, task: RecordedTask, query: str, probe: str = "odd from") -> Exchange:
    request = context.api.poll_request(task.task_id, query, intent=Intent.PROBE)
    return context.recorder.send(replace(request, probe=probe))


def _events(exchange: Exchange) -> list[str] | None:
    """What a poll returned, to be compared; None where it was no answer."""
    events = (poll_data(exchange) or {}).get("events")
    return [essence(event) for event in events] if isinstance(events, list) else None


@pytest.mark.requirement("FROM-1")
def test_from_absent(bench: RunContext, task: RecordedTask, case: CheckResult) -> None:
    """A poll without `from` brings what from=0 brings."""
    whole, absent = bench.api.poll(task.task_id, 0), _probe(bench, task, "")
    if _events(whole) is None:
        case.inconclusive("from=0 itself brought no events to compare with")
    same = _events(absent) == _events(whole)
    case.judge(None if same else f"without from {absent.behaviour}, with other events than from=0", absent, whole)


def _counted(events: list[str] | None) -> str:
    return "no list of events" if events is None else "1 event" if len(events) == 1 else f"{len(events)} events"


def _reads_alike(context: RunContext, task: RecordedTask, count: int) -> bool:
    """Whether plain reads of the whole log bring the same each time, as the control twin of odd ones."""
    reads = [_events(context.api.poll(task.task_id, 0)) for _ in range(count)]
    return reads.count(reads[0]) == count


class _Unharmed:
    """Holds that a log stays what it is while odd offsets are asked with; plain reads are the control twin."""

    def __init__(self, context: RunContext, task: RecordedTask, case: CheckResult) -> None:
        self._context, self._task, self._case = context, task, case
        self._before = _events(context.api.poll(task.task_id, 0))
        self._count = 0
        if not _reads_alike(context, task, 3):
            case.inconclusive(_UNSTEADY)

    def ask(self, query: str, probe: str) -> None:
        """Ask once, and now and then look at the log; nothing more once it is harmed."""
        if self._case.violations:
            return
        self._count += 1
        exchange = _probe(self._context, self._task, query, probe)
        self._case.exercise()
        if self._count % _READ_EVERY == 0:
            self.look(exchange)

    def look(self, last: Exchange) -> None:
        """Read the log again."""
        if self._case.violations:
            return
        after = self._context.api.poll(self._task.task_id, 0)
        if _events(after) == self._before:
            self._case.exercise()
            return
        if not _reads_alike(self._context, self._task, _READ_EVERY):
            self._case.inconclusive(_UNSTEADY)
        self._case.violate("the log is another since a poll with this query or one shortly before it", last, after)
        self._task.unusable = after


@pytest.mark.requirement("FROM-2")
def test_what_clients_send_back_leaves_the_task_alone(bench: RunContext, task: RecordedTask, case: CheckResult) -> None:
    """What clients make of a next_offset that was at fault; the log is read again behind it."""
    unharmed = _Unharmed(bench, task, case)
    for odd in queries_of_clients(task.end_offset):
        unharmed.ask(odd.query, odd.probe)
    unharmed.look(_probe(bench, task, "from=None", "from"))


@pytest.mark.requirement("FROM-6")
def test_any_from_leaves_the_task_alone(bench: RunContext, task: RecordedTask, case: CheckResult) -> None:
    """Fuzzed offsets, the log read again in between: nothing may have changed that plain reads leave as it is."""
    unharmed = _Unharmed(bench, task, case)
    for query in (*(odd.query for odd in odd_queries(task.end_offset)), f"from={'9' * _MORE_DIGITS}"):
        unharmed.ask(query, "odd from")
    explore(
        fuzzed_queries(), lambda query: unharmed.ask(query, "odd from"), examples=bench.examples, run_seed=bench.seed
    )
    others = [other.end_offset for other in bench.tasks if other is not task]
    unharmed.look(_probe(bench, task, f"from={max(others, default=0)}"))


@pytest.mark.requirement("FROM-3")
def test_from_that_is_no_offset(bench: RunContext, task: RecordedTask, case: CheckResult) -> None:
    """Refused, or, where it can be taken for an offset in other clothes, answered as that offset."""
    offset = task.history.offsets[1]
    twin = bench.api.poll(task.task_id, offset)
    if not twin.ok:
        case.inconclusive(f"from={offset} itself is answered {twin.outcome}")
    for odd in (*queries_of_clients(offset), *odd_queries(offset)):
        exchange = _probe(bench, task, odd.query, odd.probe)
        taken = odd.means is not None and exchange.ok and _events(exchange) == _events(twin)
        told = f"to {odd.query[:60]} {exchange.behaviour}"
        case.judge(None if exchange.refused or taken else told, exchange)


@pytest.mark.requirement("FROM-4")
def test_from_behind_the_end(bench: RunContext, task: RecordedTask, case: CheckResult) -> None:
    """Refused, or answered without events and with an offset from which nothing comes twice."""
    if not all(one.history.offsets_grow for one in bench.tasks):
        case.not_applicable(_NO_END)
    for offset in (task.end_offset + 1, behind_any_end(bench)):
        exchange = _probe(bench, task, f"from={offset}")
        if exchange.refused:
            case.exercise()
            continue
        events = _events(exchange)
        case.judge(None if events == [] else f"to from={offset} {exchange.behaviour} with {_counted(events)}", exchange)
        following = (poll_data(exchange) or {}).get("next_offset")
        after = _probe(bench, task, f"from={following}")
        repeats = bool(_events(after))
        case.judge("the offset that it gives back brings events again" if repeats else None, exchange, after)


@pytest.mark.requirement("FROM-4")
def test_from_behind_the_end_of_a_running_task(bench: RunContext, corpus: Corpus, case: CheckResult) -> None:
    """Refused, or answered with an offset from which everything that comes after can be read."""
    task, behind = corpus.long, corpus.behind
    if task is None or behind is None or not task.is_over or task.contradictions:
        case.not_exercised("no task ran long enough; give a message that this server answers long: --prompt long=TEXT")
    if not task.history.offsets_grow:
        case.not_applicable(_NO_END)
    exchange = behind.exchange
    if exchange.refused:
        case.exercise()
        return
    if _events(exchange):
        case.violate(f"{exchange.behaviour} with events", exchange)
        return
    following = (poll_data(exchange) or {}).get("next_offset")
    rest = read_rest(bench.api, task, following) if isinstance(following, int) else []
    if rest is None:
        case.inconclusive(f"a poll from next_offset {following}, which it gave back, was not answered")
    lost = len(task.history.log) - behind.known - len(rest)
    sentence = f"of the events that came later, {lost} do not come from next_offset {following}, which it gave back"
    case.judge(sentence if lost > 0 else None, exchange, bench.api.poll(task.task_id, following))


@pytest.mark.requirement("FROM-5")
def test_from_beside_other_parameters(bench: RunContext, task: RecordedTask, case: CheckResult) -> None:
    """A repeated `from` is refused or read as one of the two; a parameter that is not the API's changes nothing."""
    end = task.end_offset
    whole, rest = bench.api.poll(task.task_id, 0), bench.api.poll(task.task_id, end)
    if _events(whole) is None or _events(rest) is None:
        case.inconclusive("the offsets themselves are not answered")
    for query in (f"from=0&from={end}", f"from={end}&from=0"):
        exchange = _probe(bench, task, query)
        one = _events(exchange) in (_events(whole), _events(rest))
        case.judge(None if exchange.refused or one else f"to {query} {exchange.behaviour}", exchange)
    for query in ("from=0&limit=1&_=1", "From=5&from=0"):
        exchange = _probe(bench, task, query)
        same = _events(exchange) == _events(whole)
        case.judge(None if exchange.refused or same else f"{query} brings other events than from=0", exchange, whole)
