"""What a run saw of its target's kind, put together as traits with what showed each."""

from __future__ import annotations

import statistics

from sendpoll.conformance.server.probing.refusals import form_of_wait
from sendpoll.conformance.server.probing.run_context import RunContext
from sendpoll.core.target.traits import Offsets, RequestPace, Scope, TaskTime, Traits


def traits_seen(context: RunContext) -> Traits:
    """The traits that the run's answers show."""
    limits = context.admission.limits
    evidence = {f"tasks_at_once.{scope}": told for scope, told in context.admission.evidence.items() if scope in limits}
    over = [task for task in context.tasks if task.is_over]
    if context.admission.proof:
        evidence["at_once"] = context.admission.proof
    if over:
        evidence["statuses"] = f"{len(over)} tasks"
    return Traits(
        limits=tuple(limits[scope] for scope in Scope if scope in limits),
        at_once=context.admission.proved,
        task_time=_task_time(context, evidence),
        pace=_pace(context, evidence),
        makes_conversations=_makes_conversations(context, evidence),
        offsets=_offsets(context, evidence),
        statuses=tuple(sorted({task.history.status for task in over})),
        evidence=evidence,
    )


def _task_time(context: RunContext, evidence: dict[str, str]) -> TaskTime | None:
    took, over = context.in_flight.seconds(), context.in_flight.over()
    if not took:
        return None
    pauses = [flight.longest_pause for flight in over]
    firsts = context.in_flight.first_events() or [0.0]
    evidence["task_seconds"] = f"{len(took)} tasks, from {min(took):.2g} s to {max(took):.2g} s"
    return TaskTime(statistics.median(firsts), max(pauses), statistics.median(took))


def _pace(context: RunContext, evidence: dict[str, str]) -> RequestPace | None:
    resending, most = context.recorder.resending, context.recorder.pace.most
    first = resending.limited_with
    if first is None or most is None:
        return None
    told = first.response.header("retry-after") if first.response else None
    later = f", Retry-After: {told}" if told else ""
    evidence["requests_per_second"] = (
        f"#{first.number} {first.request.method} {first.request.target} {first.outcome}{later}, and "
        f"{resending.limited - 1} more"
    )
    return RequestPace(most, first.status, form_of_wait(first))


def _makes_conversations(context: RunContext, evidence: dict[str, str]) -> bool | None:
    exchange = context.in_flight.without_conversation
    if exchange is None:
        return None
    evidence["conversation_id"] = f"#{exchange.number} {exchange.outcome} to a message without it"
    return exchange.ok


def _offsets(context: RunContext, evidence: dict[str, str]) -> Offsets | None:
    read = [task for task in context.tasks if len(task.history.offsets) > 1]
    if not read:
        return None
    counted = all(task.history.counts_events for task in read)
    gone = [flight.gone_after for flight in context.in_flight.over() if flight.gone_after is not None]
    largest = max(max(task.history.offsets) for task in read)
    evidence["offsets"] = f"{sum(task.polls for task in read)} polls of {len(read)} tasks, up to {largest}"
    base = 0 if counted else min(min(offset for offset in task.history.offsets if offset) for task in read)
    return Offsets("events" if counted else "opaque", base, min(gone, default=None))
