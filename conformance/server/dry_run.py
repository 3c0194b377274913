"""What a run would send, told without sending it."""

from __future__ import annotations

from collections.abc import Iterator

from sendpoll.conformance.http.limits import INTERLEAVED_MESSAGES
from sendpoll.conformance.server.probing.message_plan import plan_messages
from sendpoll.core.target.target import Target
from sendpoll.schemas.catalogue import load_catalogue


def describe_run(target: Target, only: frozenset[str]) -> str:
    """The run against a target in plain lines: the rows, the messages and the bounds."""
    return "".join(f"{line}\n" for line in _lines(target, only))


def _lines(target: Target, only: frozenset[str]) -> Iterator[str]:
    rows = [row for row in load_catalogue().checked if not only or row.id in only]
    yield f"Nothing is sent. A run against {target.base_url} would judge {len(rows)} requirements."
    yield f"It would {_workspace(target)}, and send these messages:"
    plan = plan_messages(target.max_messages, only)
    planned = [("walk through the four calls", 1)]
    planned += [(part.sentence, part.messages) for part in plan.parts if part.messages]
    planned.append(("interleave readers and sends as Hypothesis draws them, at most", INTERLEAVED_MESSAGES))
    for sentence, messages in planned:
        yield f"  {messages}  {sentence}"
    total = sum(messages for _, messages in planned)
    yield f"That is {total} messages; --max-messages allows {target.max_messages}."
    yield "Messages that a right server refuses come on top; one that is taken counts, and none goes past the limit."
    yield f"The run ends after {target.timeouts.run:g} s, whatever happens (--deadline)."


def _workspace(target: Target) -> str:
    if target.workspace:
        return f"use the workspace {target.workspace}"
    return "make workspaces of its own"
