"""What a run would send, told without sending it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sendpoll.conformance.http.limits import INTERLEAVED_MESSAGES
from sendpoll.conformance.results.judgement import Judgement
from sendpoll.conformance.server.probing.going_down import RESTART_MESSAGES, RestartOrder
from sendpoll.conformance.server.probing.message_plan import plan_messages
from sendpoll.core.target.target import Target
from sendpoll.core.target.traits import seconds_in_words
from sendpoll.schemas.catalogue import load_catalogue


def describe_run(target: Target, judgement: Judgement, restart: RestartOrder | None = None) -> str:
    """The run against a target in plain lines: the rows, the messages and the bounds."""
    return "".join(f"{line}\n" for line in _lines(target, judgement, restart))


def _lines(target: Target, judgement: Judgement, restart: RestartOrder | None) -> Iterator[str]:
    rows, only = judgement.rows(load_catalogue()), judgement.only
    yield f"Nothing is sent. A run against {target.base_url} would judge {len(rows)} requirements."
    yield f"It would {_workspace(target)}, and send these messages:"
    for_restart = RESTART_MESSAGES if restart else 0
    plan = plan_messages(target.max_messages - for_restart, only)
    planned = [("walk through the four calls", 1)]
    planned += [(part.sentence, part.messages) for part in plan.parts if part.messages]
    planned.append(("interleave readers and sends as Hypothesis draws them, at most", INTERLEAVED_MESSAGES))
    if restart:
        planned.append(
            (f"restart the server by {restart.command!r} while two tasks run, and send two more", for_restart)
        )
    for sentence, messages in planned:
        yield f"  {messages}  {sentence}"
    total = sum(messages for _, messages in planned)
    yield f"That is {total} messages; --max-messages allows {target.max_messages}."
    if plan.is_cut:
        yield "More would judge more; what is left out is done with the task of the first walk, as far as that goes."
    if plan.held:
        yield f"{plan.held} of them is held for probes that a right server refuses."
    yield from _traits(target)
    yield "Messages that a right server refuses come on top; one that is taken counts, and none goes past the limit."
    yield f"The run ends after {target.timeouts.run:g} s, whatever happens (--deadline)."


def _traits(target: Target) -> Iterator[str]:
    yield "It would begin one task, then more as long as the server runs them side by side, and keep to its pace."
    for _, sentence in target.traits.sentences():
        yield f"  declared: {sentence}"
    took = target.traits.task_time
    if took is not None:
        plan = plan_messages(target.max_messages)
        at_once = max(1, min((limit.most for limit in target.traits.limits), default=1))
        rounds = math.ceil(plan.messages / at_once) + 1
        yield f"By that it would take about {seconds_in_words(rounds * took.end)}."


def _workspace(target: Target) -> str:
    if target.workspace:
        return f"use the workspace {target.workspace}"
    return "make workspaces of its own"
