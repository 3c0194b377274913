"""What a restart of the target leaves of its tasks and ids; run last, since nothing is as it was behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sendpoll.conformance.rules.restarts import (
    RestartFinding,
    TaskOverRestart,
    ended,
    known,
    not_anothers,
    not_begun_again,
    same,
    taken_or_gone,
)
from sendpoll.conformance.server.checks.check_result import CheckResult
from sendpoll.conformance.server.probing.over_restart import OverRestart, see_over_restart
from sendpoll.conformance.server.probing.recorded_tasks import Corpus
from sendpoll.conformance.server.probing.run_context import RunContext

STAGE = 10
_TOO_SHORT = (
    "no task still ran when the target went down; give a message that this server answers long: --prompt long=TEXT"
)


@pytest.fixture(scope="session", name="seen")
def _seen(context: RunContext, corpus: Corpus) -> OverRestart | None:
    """What the restart showed; None where the walk through the calls did not get to a task."""
    if context.restart is None or context.trouble or context.stopped or not corpus.walks:
        return None
    return see_over_restart(context, context.restart)


@pytest.fixture(name="over")
def _over(bench: RunContext, seen: OverRestart | None, case: CheckResult) -> OverRestart:
    if bench.restart is None or seen is None:
        case.not_exercised("the target was not restarted; say how with --restart COMMAND")
    if seen.downtime.trouble:
        case.inconclusive(seen.downtime.trouble)
    return seen


def _judge(case: CheckResult, over: OverRestart, rule: Callable[[TaskOverRestart], Iterator[RestartFinding]]) -> None:
    for task in over.tasks:
        for sentence, exchanges in rule(task):
            case.judge(sentence, *exchanges)


@pytest.mark.requirement("RESTART-1")
def test_tasks_are_known_behind_a_restart(over: OverRestart, case: CheckResult) -> None:
    """A task that was over, and one that ran, are answered as tasks."""
    _judge(case, over, known)


@pytest.mark.requirement("RESTART-2")
def test_what_was_served_is_served(over: OverRestart, case: CheckResult) -> None:
    """Each event stands where it stood, the last ones before the restart among them, and no end is taken back."""
    _judge(case, over, same)


@pytest.mark.requirement("RESTART-3")
def test_running_tasks_come_to_an_end(over: OverRestart, case: CheckResult) -> None:
    """A task that ran, and one that waited behind it, are over some time behind the restart, or gone."""
    if not any(task.ran for task in over.tasks):
        case.not_exercised(_TOO_SHORT)
    _judge(case, over, ended)


@pytest.mark.requirement("RESTART-4")
def test_no_log_begins_again_under_its_offsets(over: OverRestart, case: CheckResult) -> None:
    """No reader who comes with an offset from before waits behind a log that is shorter."""
    _judge(case, over, not_begun_again)


@pytest.mark.requirement("RESTART-5")
def test_ids_are_not_given_twice(over: OverRestart, case: CheckResult) -> None:
    """New conversations and tasks have new ids, and old tasks hold nothing of new messages."""
    _judge(case, over, not_anothers)
    for name, exchange in over.given.items():
        told = f"{name} is given behind the restart, and was given before it" if name in over.before else None
        case.judge(told, exchange)


@pytest.mark.requirement("RESTART-6")
def test_ids_are_taken_or_gone(over: OverRestart, case: CheckResult) -> None:
    """The workspace, a conversation and tasks from before are used again."""
    for what, exchange in over.taken:
        case.judge(taken_or_gone(exchange, what), exchange)
    for poll in over.unended:
        case.violate("a conversation from before takes a message behind the restart, and never answers it", poll)
