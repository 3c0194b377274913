"""Tasks as their readers saw them: what the oracle found in everything that was polled."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from http import HTTPStatus

import pytest

from sendpoll.conformance.rules.echo import find_repeated, repeats_plain_words, shows_halves
from sendpoll.conformance.rules.predicates import events_of
from sendpoll.conformance.rules.tally import Shown
from sendpoll.conformance.server.checks.check_result import CheckResult
from sendpoll.conformance.server.probing.client_profiles import PROFILES
from sendpoll.conformance.server.probing.endings import RunOverError
from sendpoll.conformance.server.probing.recorded_tasks import Corpus
from sendpoll.conformance.server.probing.revalidation import revalidate
from sendpoll.conformance.server.probing.run_context import RunContext
from sendpoll.conformance.server.probing.task_readers import LOSING, RecordedTask, read_again, undisturbed
from sendpoll.core.oracle import chunk_text

STAGE = 8
_BUSY = frozenset({409, 423, 425, 429, 503})
"""How a server says that another message will do later."""
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
    for task in context.tasks:
        task.place_late()
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
    """Every task that was read came to a final status, or moved, or waited for another one of this run."""
    patience = context.target.timeouts.task
    for task in tasks:
        if not task.is_over and task.unusable is None:
            task.poll(context.api, task.end_offset, "last")
        if task.is_over:
            case.exercise()
        elif task.unusable is None and (stuck := context.in_flight.stuck_for(task.task_id, patience)):
            sentence = f"task {task.kind!r} still runs, and has told nothing for {stuck:.0f} s (--task-timeout)"
            case.violate(sentence, context.api.poll(task.task_id, task.end_offset))


@pytest.mark.requirement("POLL-11")
def test_validators_change_with_the_log(
    tasks: list[RecordedTask], corpus: Corpus, context: RunContext, case: CheckResult
) -> None:
    """A browser that asks whether an answer is still good is told that it is not, once the log has grown."""
    early, task = corpus.early, corpus.long
    if early is None or early.response is None or not early.ok or task is None or not task.is_over:
        case.not_exercised("no task ran long enough; give a message that this server answers long: --prompt long=TEXT")
    case.exercise()
    if len(events_of(early)) >= len(task.history.log):
        return
    for asked in (corpus.revalidation, revalidate(context.api, task.task_id, early)):
        if asked is not None:
            stale = f"it answers 304 to the validator of an answer of {asked.events} events; now there are more"
            is_stale = asked.after.status == HTTPStatus.NOT_MODIFIED
            case.judge(stale if is_stale else None, asked.before, asked.after)


@pytest.mark.requirement("POLL-12")
def test_offset_stays_without_events(tasks: list[RecordedTask], case: CheckResult) -> None:
    """A poll that brings nothing gives back the offset that it asked with."""
    _judge_contradictions(case, tasks)
    case.exercise(sum(1 for task in tasks for note in task.notes if note.events == 0))


@pytest.mark.requirement("POLL-13")
def test_ended_tasks_are_kept(tasks: list[RecordedTask], case: CheckResult) -> None:
    """Who reads an ended task from its beginning finds all of it; refused polls are judged with all traffic."""
    _judge_contradictions(case, tasks)
    case.exercise(sum(1 for task in tasks if task.is_over and task.history.log))


@pytest.mark.requirement("ENC-1")
def test_no_character_is_cut_in_two(tasks: list[RecordedTask], context: RunContext, case: CheckResult) -> None:
    """No chunk ends with a replacement character where the next begins with one: there was one character before.

    Chunks that show nothing, and events that nobody prints, may stand between the two.
    """
    for task in tasks:
        cut = shows_halves(text for event in task.history.log if (text := chunk_text(event)) is not None)
        if cut and "\ufffd" not in task.message:
            sentence = f"task {task.kind!r}: a character is cut in two chunks, each of which shows U+FFFD in its place"
            case.violate(sentence, context.api.poll(task.task_id, 0))
        elif not task.text.isascii():
            case.exercise()


@pytest.mark.requirement("ENC-1")
def test_no_character_vanishes_from_an_echo(tasks: list[RecordedTask], context: RunContext, case: CheckResult) -> None:
    """An agent that repeats a message repeats each of its characters wherever it stands, or nowhere."""
    escapes = {shape.name: shape.escapes for shape in PROFILES}
    told = ((task, find_repeated(task.message, task.text)) for task in undisturbed(tasks))
    echoes = [(task, echo) for task, echo in told if echo is not None]
    kept: dict[bool, set[str]] = defaultdict(set)
    for task, echo in echoes:
        kept[escapes[task.shape]] |= echo.kept
    for task, echo in echoes:
        here = sorted(echo.lost & kept[escapes[task.shape]])
        sentence = f"task {task.kind!r} repeats its message without {' '.join(here[:8])}, which stand there elsewhere"
        case.judge(sentence if here else None, *([context.api.poll(task.task_id, 0)] if here else []))


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
def test_the_first_task_is_left_alone(
    bench: RunContext, tasks: list[RecordedTask], corpus: Corpus, case: CheckResult
) -> None:
    """A task during which another message came ends as undisturbed tasks do, be that message taken or refused."""
    first = _first_of_two(corpus, case)
    others = [
        task for task in tasks if task.is_over and task.unusable is None and task.conversation != first.conversation
    ]
    if not others:
        case.not_exercised("no undisturbed task came to its end, so there is nothing to compare the first one with")
    told = _disturbed(first, others)
    case.judge(told, *([bench.api.poll(first.task_id, 0)] if told else []))


def _first_of_two(corpus: Corpus, case: CheckResult) -> RecordedTask:
    first = corpus.first
    if first is None or (corpus.second is None and corpus.second_refusal is None):
        case.not_exercised("two messages of one conversation were not sent; allow more with --max-messages")
    if not first.is_over or first.unusable is not None:
        case.not_exercised("the first of the two tasks could not be read to its end")
    return first


def _disturbed(first: RecordedTask, others: list[RecordedTask]) -> str | None:
    """In what a task differs from undisturbed ones: in its final status, in its words, or in its length."""
    statuses = sorted({task.history.status for task in others})
    if first.history.status not in statuses:
        usual = " or ".join(statuses)
        return f"a second message came, and the first task ends as {first.history.status}, where others end as {usual}"
    alike = [task for task in others if task.kind == first.kind]
    echoing = bool(alike) and all(repeats_plain_words(task.message, task.text) for task in alike)
    if echoing and not repeats_plain_words(first.message, first.text):
        return "a second message came, and the first task does not repeat its own, as undisturbed tasks do"
    lengths = {len(task.history.log) for task in alike}
    if len(alike) > 1 and len(lengths) == 1 and len(first.history.log) < min(lengths) / 2:
        return (
            f"a second message came, and the first task ends after {len(first.history.log)} events, where all others "
            f"of this message have {min(lengths)}"
        )
    return None


@pytest.mark.requirement("QUEUE-1")
def test_second_message_while_one_runs(
    bench: RunContext, tasks: list[RecordedTask], corpus: Corpus, case: CheckResult
) -> None:
    """Where a second message is taken while the first runs, both are answered, each in its own task."""
    first, second = _first_of_two(corpus, case), corpus.second
    if second is None:
        case.not_exercised("the second message was refused while the first ran")
    if second.marker in json.dumps(first.history.log):
        case.violate("the first task holds the word of the second message", bench.api.poll(first.task_id, 0))
    echoes = first.marker in first.text
    broken = {found.violation.requirement for found in (*first.contradictions, *second.contradictions)}
    sound = not broken & LOSING
    if not second.is_over:
        if second.unusable is not None or not bench.recorder.is_stuck(second.task_id):
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


@pytest.mark.requirement("QUEUE-2")
def test_second_message_is_refused_for_now(corpus: Corpus, case: CheckResult) -> None:
    """A refusal of the second message says that it may be sent again."""
    if corpus.second is not None:
        case.exercise()
    elif corpus.second_refusal is not None:
        refusal = corpus.second_refusal
        told = None if refusal.status in _BUSY else f"to the second message {refusal.behaviour}"
        case.judge(told, refusal)
    else:
        case.not_exercised("two messages of one conversation were not sent; allow more with --max-messages")
