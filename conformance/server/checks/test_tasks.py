"""Tasks as their readers saw them: what the oracle found in everything that was polled."""

from __future__ import annotations

import itertools
import json
import time
from dataclasses import replace
from http import HTTPStatus

import pytest

from sendpoll.conformance.http.exchange import Intent
from sendpoll.conformance.rules.predicates import events_of
from sendpoll.conformance.rules.tally import Shown
from sendpoll.conformance.server.checks.check_result import CheckResult
from sendpoll.conformance.server.probing.recorded_tasks import Corpus
from sendpoll.conformance.server.probing.recorder import RunOverError
from sendpoll.conformance.server.probing.run_context import RunContext
from sendpoll.conformance.server.probing.task_readers import RecordedTask, read_again
from sendpoll.core.oracle import chunk_text

STAGE = 8
_VALIDATORS = {"If-None-Match": "etag", "If-Modified-Since": "last-modified"}
"""What a browser asks with, and the header of the answer before that it takes it from."""
_LOSING = frozenset({"POLL-5", "POLL-7", "POLL-8"})
"""The rows whose violations alone explain text that is missing."""


@pytest.fixture(scope="session", name="tasks")
def _tasks(context: RunContext, corpus: Corpus) -> list[RecordedTask]:
    """All tasks of the run, each read once more now that everything is over: logs must not have changed.

    Raises RunOverError where that takes too long, unless what was read before shows a contradiction already.
    """
    try:
        for task in context.tasks:
            if task.polls and task.unusable is None:
                read_again(context.api, task)
    except RunOverError:
        if not any(task.contradictions for task in context.tasks):
            raise
    return context.tasks


def _judge_contradictions(case: CheckResult, tasks: list[RecordedTask]) -> None:
    for task in tasks:
        for found in task.contradictions:
            if found.violation.requirement == case.requirement:
                case.violate(f"task {task.kind!r}: {found.violation.sentence}", *found.exchanges)
        case.unshown += task.uncounted[case.requirement]


@pytest.mark.requirement("POLL-5")
def test_one_log_for_all_readers(tasks: list[RecordedTask], case: CheckResult) -> None:
    """Readers of all habits saw one log: nothing lost, repeated, reordered or rewritten."""
    _judge_contradictions(case, tasks)
    case.exercise(sum(task.polls for task in tasks if task.history.log))


@pytest.mark.requirement("POLL-6")
def test_increments(tasks: list[RecordedTask], case: CheckResult) -> None:
    """No chunk repeats the text before it."""
    for task in tasks:
        for violation in task.history.conclude():
            case.violations.append(Shown(f"task {task.kind!r}: {violation.sentence}", ()))
        if task.text:
            case.exercise()


@pytest.mark.requirement("POLL-7")
def test_final_means_final(tasks: list[RecordedTask], case: CheckResult) -> None:
    """No task ran on, and no status changed, behind the first answer that was not `running`."""
    _judge_contradictions(case, tasks)
    case.exercise(sum(task.polls for task in tasks if task.is_over))


@pytest.mark.requirement("POLL-8")
def test_nothing_behind_the_end(tasks: list[RecordedTask], case: CheckResult) -> None:
    """Whoever saw the final status had everything, early readers and late ones."""
    _judge_contradictions(case, tasks)
    case.exercise(sum(1 for task in tasks if task.is_over and task.history.log))


@pytest.mark.requirement("POLL-9")
def test_every_task_ends(tasks: list[RecordedTask], context: RunContext, case: CheckResult) -> None:
    """Every task that was read came to a final status within the task's patience."""
    patience = context.target.timeouts.task
    for task in tasks:
        if not task.is_over and task.unusable is None:
            task.poll(context.api, task.end_offset, "last")
        if task.is_over:
            case.exercise()
        elif task.unusable is None and time.monotonic() - task.sent_at >= patience:
            sentence = f"task {task.kind!r} still runs after {patience:g} s (more patience: --task-timeout)"
            case.violate(sentence, context.api.poll(task.task_id, task.end_offset))


@pytest.mark.requirement("POLL-11")
def test_validators_change_with_the_log(
    tasks: list[RecordedTask], corpus: Corpus, context: RunContext, case: CheckResult
) -> None:
    """A browser that asks whether an answer from while the task grew is still good is told that it is not."""
    early, task = corpus.early, corpus.long
    if early is None or early.response is None or not early.ok or task is None or not task.is_over:
        case.not_exercised("no task ran long enough; give a message that this server answers long: --prompt long=TEXT")
    validators = {asks: early.response.header(told) for asks, told in _VALIDATORS.items()}
    if not any(validators.values()) or len(events_of(early)) >= len(task.history.log):
        case.exercise()
        return
    plain = context.api.poll_request(task.task_id, "from=0")
    asked = tuple((name, value) for name, value in validators.items() if value)
    exchange = context.recorder.send(replace(plain, headers=(*plain.headers, *asked), intent=Intent.PROBE))
    stale = f"it answers 304 to the validator of an answer of {len(events_of(early))} events; now there are more"
    case.judge(stale if exchange.status == HTTPStatus.NOT_MODIFIED else None, early, exchange)


@pytest.mark.requirement("POLL-12")
def test_offset_stays_without_events(tasks: list[RecordedTask], case: CheckResult) -> None:
    """A poll that brings nothing gives back the offset that it asked with."""
    _judge_contradictions(case, tasks)
    case.exercise(sum(1 for task in tasks for note in task.notes if note.events == 0))


@pytest.mark.requirement("ENC-1")
def test_no_character_is_cut_in_two(tasks: list[RecordedTask], context: RunContext, case: CheckResult) -> None:
    """No chunk ends with a replacement character where the next begins with one: there was one character before."""
    for task in tasks:
        texts = [text for event in task.history.log if (text := chunk_text(event))]
        cut = any(one[-1] == other[0] == "\ufffd" for one, other in itertools.pairwise(texts))
        if cut and "\ufffd" not in task.message:
            sentence = f"task {task.kind!r}: a character is cut in two chunks, each of which shows U+FFFD in its place"
            case.violate(sentence, context.api.poll(task.task_id, 0))
        elif not task.text.isascii():
            case.exercise()


@pytest.mark.requirement("ISO-1")
def test_no_foreign_events(tasks: list[RecordedTask], context: RunContext, case: CheckResult) -> None:
    """No task holds the word that marks a message of another conversation."""
    for task in tasks:
        said = json.dumps(task.history.log)
        foreign = [other for other in tasks if other.conversation != task.conversation and other.marker in said]
        if foreign:
            sentence = f"the task of message {task.marker} holds {foreign[0].marker}, the word of another conversation"
            case.violate(sentence, context.api.poll(task.task_id, 0))
        elif task.history.log and len(tasks) > 1:
            case.exercise()


@pytest.mark.requirement("ISO-1")
def test_no_answer_before_the_own_one(tasks: list[RecordedTask], context: RunContext, case: CheckResult) -> None:
    """No task begins with the whole answer to an earlier message of its conversation.

    An agent may quote that message; its answer to the letter, with the word that marks the message, is no quotation.
    """
    for task, earlier in itertools.permutations(tasks, 2):
        if (
            task.conversation == earlier.conversation
            and earlier.sent_at < task.sent_at
            and earlier.marker in earlier.text
        ):
            repeated = task.text.startswith(earlier.text)
            told = f"the task of message {task.marker} begins with the whole answer to {earlier.marker}, an earlier one"
            case.judge(told if repeated else None, *([context.api.poll(task.task_id, 0)] if repeated else []))


@pytest.mark.requirement("QUEUE-1")
def test_second_message_while_one_runs(
    bench: RunContext, tasks: list[RecordedTask], corpus: Corpus, case: CheckResult
) -> None:
    """Two messages of one conversation are both answered, each in its own task; a clear refusal will do too."""
    first, second = corpus.first, corpus.second
    if corpus.second_refusal is not None:
        refusal = corpus.second_refusal
        case.judge(None if refusal.refused else f"the second message is answered {refusal.outcome}", refusal)
        return
    if first is None or second is None:
        case.not_exercised("two messages of one conversation were not sent; allow more with --max-messages")
    if not first.is_over:
        case.not_exercised("the first of the two tasks did not come to its end")
    if second.marker in json.dumps(first.history.log):
        case.violate("the first task holds the word of the second message", bench.api.poll(first.task_id, 0))
    echoes = first.marker in first.text
    broken = {found.violation.requirement for found in (*first.contradictions, *second.contradictions)}
    sound = not broken & _LOSING
    if not second.is_over:
        if second.unusable is not None or time.monotonic() - second.sent_at < bench.target.timeouts.task:
            case.not_exercised("the second of the two tasks could not be read to its end")
        case.violate("the second task never ends", bench.api.poll(second.task_id, 0))
    elif not sound:
        case.not_exercised("the tasks contradict themselves; POLL-5, POLL-7 and POLL-8 tell")
    elif echoes and second.marker not in second.text:
        case.violate(
            "the second task does not answer its own message, as the first does", bench.api.poll(second.task_id, 0)
        )
    elif first.history.log and not second.history.log:
        case.violate("the second task ends without any event", bench.api.poll(second.task_id, 0))
    case.exercise(second.polls)
