"""Offsets that no client sends on purpose, on tasks that run and tasks that are over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sendpoll.conformance.http.exchange import Exchange, Intent
from sendpoll.conformance.rules.predicates import poll_data
from sendpoll.conformance.server.checks.check_result import CheckResult
from sendpoll.conformance.server.inputs.fuzzing import explore
from sendpoll.conformance.server.inputs.negative_offsets import fuzzed_queries, odd_queries
from sendpoll.conformance.server.probing.recorded_tasks import BEHIND_ANY_END, Corpus
from sendpoll.conformance.server.probing.run_context import RunContext
from sendpoll.conformance.server.probing.task_readers import RecordedTask, read_rest
from sendpoll.core.oracle import essence

STAGE = 3
_MORE_DIGITS = 4400
"""More than Python makes a number of: int() raises beyond 4300."""
_READ_EVERY = 20
"""Fuzzed polls after which the log is read again."""


@pytest.fixture(name="task")
def _task(bench: RunContext, corpus: Corpus, case: CheckResult) -> RecordedTask:
    """A task that is over, with events, and known to its end: best one that does not contradict itself."""
    over = [task for task in bench.finished if task.history.log and len(task.history.offsets) > 1]
    if not over:
        case.not_exercised("no task came to its end with events")
    return min(over, key=lambda task: len(task.contradictions))


def _probe(context: RunContext, task: RecordedTask, query: str) -> Exchange:
    request = context.api.poll_request(task.task_id, query, intent=Intent.PROBE)
    return context.recorder.send(replace(request, probe="from"))


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
    case.judge(
        None if same else f"without from it answers {absent.outcome} with other events than from=0", absent, whole
    )


def _reads_alike(context: RunContext, task: RecordedTask, count: int) -> bool:
    """Whether plain reads of the whole log bring the same each time, as the control twin of odd ones."""
    reads = [_events(context.api.poll(task.task_id, 0)) for _ in range(count)]
    return reads.count(reads[0]) == count


@pytest.mark.requirement("FROM-2")
def test_any_from_leaves_the_task_alone(bench: RunContext, task: RecordedTask, case: CheckResult) -> None:
    """Fuzzed offsets, the log read again in between: nothing may have changed that plain reads leave as it is."""
    before = _events(bench.api.poll(task.task_id, 0))
    unsteady = "the log is another each time that it is read, without any odd offset"
    if not _reads_alike(bench, task, 3):
        case.inconclusive(unsteady)
    count = 0

    def reread(last: Exchange) -> None:
        after = bench.api.poll(task.task_id, 0)
        if _events(after) == before:
            case.exercise()
            return
        if not _reads_alike(bench, task, _READ_EVERY):
            case.inconclusive(unsteady)
        case.violate("the log is another since a poll with this query or one shortly before it", last, after)
        task.unusable = after

    def check(query: str) -> None:
        nonlocal count
        if case.violations:
            return
        count += 1
        exchange = _probe(bench, task, query)
        case.exercise()
        if count % _READ_EVERY == 0:
            reread(exchange)

    for odd in odd_queries(task.end_offset):
        check(odd.query)
    check(f"from={'9' * _MORE_DIGITS}")
    explore(fuzzed_queries(), check, examples=bench.examples, run_seed=bench.seed)
    others = [other.end_offset for other in bench.tasks if other is not task]
    if not case.violations:
        reread(_probe(bench, task, f"from={max(others, default=0)}"))


@pytest.mark.requirement("FROM-3")
def test_from_that_is_no_offset(bench: RunContext, task: RecordedTask, case: CheckResult) -> None:
    """Refused, or, where it can be taken for an offset in other clothes, answered as that offset."""
    offset = sorted(task.history.offsets)[1]
    twin = bench.api.poll(task.task_id, offset)
    if not twin.ok:
        case.inconclusive(f"from={offset} itself is answered {twin.outcome}")
    for odd in odd_queries(offset):
        exchange = _probe(bench, task, odd.query)
        taken = odd.means is not None and exchange.ok and _events(exchange) == _events(twin)
        told = f"{odd.query[:60]} is answered {exchange.outcome}"
        case.judge(None if exchange.refused or taken else told, exchange)


@pytest.mark.requirement("FROM-4")
def test_from_behind_the_end(bench: RunContext, task: RecordedTask, case: CheckResult) -> None:
    """Refused, or answered without events and with an offset from which nothing comes twice."""
    for offset in (task.end_offset + 1, task.end_offset + BEHIND_ANY_END):
        exchange = _probe(bench, task, f"from={offset}")
        if exchange.refused:
            case.exercise()
            continue
        events = _events(exchange)
        case.judge(
            None if events == [] else f"from={offset} is answered {exchange.outcome} with {events!r:.60}", exchange
        )
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
    exchange = behind.exchange
    if exchange.refused:
        case.exercise()
        return
    if _events(exchange):
        case.violate(f"it answers {exchange.outcome} with events", exchange)
        return
    following = (poll_data(exchange) or {}).get("next_offset")
    rest = read_rest(bench.api, task, following) if isinstance(following, int) else []
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
        case.judge(None if exchange.refused or one else f"{query} is answered {exchange.outcome}", exchange)
    for query in ("from=0&limit=1&_=1", "From=5&from=0"):
        exchange = _probe(bench, task, query)
        same = _events(exchange) == _events(whole)
        case.judge(None if exchange.refused or same else f"{query} brings other events than from=0", exchange, whole)
