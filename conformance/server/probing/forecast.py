"""How long a run will take of an agent that is slow or scarce, and what would finish one that was too short."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from sendpoll.conformance.server.probing.in_flight import SILENT_PATIENCE
from sendpoll.conformance.server.probing.message_plan import MessagePlan, plan_messages
from sendpoll.conformance.server.probing.run_context import PROBES_TAKE, RunContext
from sendpoll.core.target.traits import seconds_in_words

_MARGIN = 1.25
"""How much longer than foreseen a run may take."""
_PROBES = 1600
"""Requests, about, of a whole run that is asked gently."""
_STEP = 60
"""Seconds to a multiple of which a deadline is told."""
_UNSEEN = 4.0
"""How many times as long as it was watched a task may take that was not seen to end."""


@dataclass(frozen=True, slots=True)
class Finish:
    """What a run needs that judges the rows which are left."""

    rows: tuple[str, ...]
    deadline: int
    max_messages: int
    task_timeout: int
    """Seconds for which a task may stand still: the first one may have to wait for those that this run leaves."""


def seconds_needed(context: RunContext, plan: MessagePlan) -> float:
    """Seconds that a run with these messages takes, by what is known of the target now."""
    tempo, pace = context.recorder.tempo, context.recorder.pace.most
    at_once = max(1, context.admission.at_once)
    rounds = 1 + math.ceil((plan.messages - 1) / at_once)
    if plan.has("queue"):
        rounds = max(rounds, 4 if plan.has("third") else 3)  # one of its messages waits for another
    requests = _PROBES / pace if pace else 0.0
    return _MARGIN * rounds * _each(context) + max(PROBES_TAKE if tempo.is_slow else 0.0, requests)


def _each(context: RunContext) -> float:
    """Seconds that a task takes, or may take where none was seen to end."""
    return context.recorder.tempo.seconds * (1.0 if context.in_flight.seconds() else _UNSEEN)


def forecast(context: RunContext) -> str:
    """In a sentence, what was seen of the tasks and how long the run will take."""
    tempo, at_once = context.recorder.tempo, context.admission.at_once
    needed = seconds_needed(context, context.plan)
    number = "one" if at_once == 1 else str(at_once)
    told = f"tasks take about {seconds_in_words(tempo.seconds)}, {number} at once: about {seconds_in_words(needed)}"
    limit = context.target.timeouts.run
    if needed <= limit:
        return told
    return f"{told}; the run ends at {limit:g} s all the same, with rows left (more: --deadline {_rounded(needed)})"


def finish(context: RunContext, rows: Iterable[str]) -> Finish:
    """What would judge these rows."""
    left = tuple(rows)
    budget = max(context.target.max_messages, 16 if context.plan.is_cut else 0)
    before = _MARGIN * len(context.in_flight.running()) * _each(context) / max(1, context.admission.at_once)
    needed = before + seconds_needed(context, plan_messages(budget, left))
    timeouts = context.target.timeouts
    patience = max(_rounded(before / SILENT_PATIENCE), math.ceil(timeouts.task))
    return Finish(left, max(_rounded(needed), math.ceil(timeouts.run)), budget, patience)


def _rounded(seconds: float) -> int:
    return _STEP * math.ceil(seconds / _STEP)
