"""Mutants in the log of a task: events lost, repeated, reordered, rewritten or cut off (POLL-5, 6, 8 and 9)."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.mutants.exchange import Answer, Asked, Forward, refusal
from tests.mutants.model import Mutant
from tests.mutants.polls import (
    Event,
    View,
    chunk,
    content,
    has_news,
    is_chunk,
    is_final,
    is_late,
    is_long,
    is_re_read,
    is_running,
    is_second_turn,
    is_seventh,
    logs,
    polls,
    says,
)


def _last_five(view: View) -> None:
    first = max(view.start, len(view.log) - 5)
    view.data["events"] = view.log[first:]


async def _gone_a_second_later(asked: Asked, forward: Forward) -> Answer:
    given = await forward(asked)
    if asked.operation != "pollTask" or asked.task is None or given.status != 200:
        return given
    ended = given.json()["data"]["status"] != "running"
    since = asked.task.notes.setdefault("ended at", time.monotonic()) if ended else time.monotonic()
    return refusal(404, "expired") if time.monotonic() - since > 1 else given


def _too_far(view: View) -> None:
    view.data["next_offset"] += 1


def _too_short(view: View) -> None:
    if view.data["next_offset"] - 1 > view.start:
        view.data["next_offset"] -= 1


def _stuck(view: View) -> None:
    view.data["next_offset"] = view.start


def _whole_log(view: View) -> None:
    view.data["events"] = view.log


def _reversed(view: View) -> None:
    view.data["events"] = view.data["events"][::-1]


def _stripped(view: View) -> None:
    """White space at the end of a chunk is gone when it is read again."""
    view.data["events"] = [
        chunk(content(event).rstrip()) if is_chunk(event) else event for event in view.data["events"]
    ]


def _back(view: View) -> None:
    if view.start > 1:
        view.data["next_offset"] = view.start - 1


def _nothing(view: View) -> None:
    view.data["events"] = []


def _without(lost: Callable[[int, Event], bool]) -> Callable[[View], None]:
    def change(view: View) -> None:
        kept = [event for at, event in enumerate(view.data["events"], view.start) if not lost(at, event)]
        view.data["events"] = kept

    return change


def _beyond_ascii(_: int, event: Event) -> bool:
    return is_chunk(event) and not content(event).isascii()


def _emoji(_: int, event: Event) -> bool:
    return any(ord(character) > 0xFFFF for character in content(event))


def _incremental(view: View) -> bool:
    return view.start > 0


def _first_of_two_repeats(view: View) -> None:
    if view.start < 100 <= len(view.log):
        view.data["next_offset"] = 99


def _merged(view: View) -> None:
    """Behind its end the answer is kept as one chunk."""
    whole = "".join(map(content, view.log))
    others = [event for event in view.log if not is_chunk(event)]
    view.data["events"] = [*others[:1], chunk(whole), *others[1:]]


def last_gone(view: View) -> None:
    view.data["events"] = view.data["events"][:-1]


def cumulative(view: View, log: list[Event]) -> list[Event]:
    del view
    said, grown = "", []
    for event in log:
        said += content(event)
        grown.append(chunk(said) if is_chunk(event) else event)
    return grown


def _restated(view: View, log: list[Event]) -> list[Event]:
    """The last chunk is the whole answer once more."""
    if not view.final:
        return log
    last = max(at for at, event in enumerate(log) if is_chunk(event))
    return [*log[: last + 1], chunk("".join(map(content, log))), *log[last + 1 :]]


def _early_end(view: View) -> None:
    if len(view.log) >= 6:
        view.data["status"] = "completed"


def _page(view: View) -> None:
    """Ten events an answer, and completed on every page."""
    view.data["events"] = view.log[view.start : view.start + 10]
    view.data["next_offset"] = view.start + len(view.data["events"])


def _afterthought(view: View) -> None:
    """One more event comes when the end has been told twice."""
    told = view.task.notes["told"] = view.task.notes.get("told", 0) + 1
    if told > 2:
        extended = [*view.log, {"type": "billing", "data": {"cost": 1}}]
        view.data["events"], view.data["next_offset"] = extended[view.start :], len(extended)


MUTANTS = (
    Mutant(
        name="offset-skips-an-event",
        requirement="POLL-5",
        also=frozenset({"POLL-8"}),  # the event that is lost may be the last
        fault="gives an offset one too far while the task runs, so that an event is lost",
        make=polls(_too_far, lambda view: has_news(view) and not view.final),
    ),
    Mutant(
        name="offset-repeats-an-event",
        requirement="POLL-5",
        fault="gives an offset one too short, so that an event comes twice",
        make=polls(_too_short, lambda view: has_news(view) and not view.final),
    ),
    Mutant(
        name="offset-stuck",
        requirement="POLL-5",
        fault="gives back the offset that was asked for",
        make=polls(_stuck),
    ),
    Mutant(
        name="from-ignored",
        requirement="POLL-5",
        fault="returns all events whatever from says",
        make=polls(_whole_log),
        also=frozenset({"POLL-8"}),
    ),
    Mutant(
        name="events-reversed",
        requirement="POLL-5",
        fault="returns the events of each answer with the last one first",
        make=polls(_reversed),
    ),
    Mutant(
        name="history-rewritten",
        requirement="POLL-5",
        fault="strips the text of chunks when they are read again",
        make=polls(_stripped, is_re_read),
        conditional=True,
    ),
    Mutant(
        name="offset-back-on-seventh-poll",
        requirement="POLL-5",
        fault="gives an offset before the one asked for on every 7th poll",
        make=polls(_back, is_seventh),
        also=frozenset({"POLL-8"}),
        conditional=True,
    ),
    Mutant(
        name="seventh-poll-loses-its-events",
        requirement="POLL-5",
        fault="moves the offset on without the events on every 7th poll",
        make=polls(_nothing, is_seventh),
        also=frozenset({"POLL-8"}),
        conditional=True,
    ),
    Mutant(
        name="fifth-event-never-in-increments",
        requirement="POLL-5",
        fault="never returns the fifth event to a reader who has read before",
        make=polls(_without(lambda at, _: at == 4), _incremental),
        conditional=True,
    ),
    Mutant(
        name="beyond-ascii-lost-in-increments",
        requirement="POLL-5",
        fault="loses chunks beyond ASCII unless the log is read from its beginning",
        make=polls(_without(_beyond_ascii), _incremental),
        conditional=True,
    ),
    Mutant(
        name="emoji-lost-in-increments",
        requirement="POLL-5",
        fault="loses chunks with emoji unless the log is read from its beginning",
        make=polls(_without(_emoji), _incremental),
        conditional=True,
    ),
    Mutant(
        name="hundredth-event-comes-twice",
        requirement="POLL-5",
        fault="gives an offset too short when an answer crosses the hundredth event",
        make=polls(_first_of_two_repeats),
        conditional=True,
    ),
    Mutant(
        name="second-message-skips-an-event",
        requirement="POLL-5",
        fault="gives offsets one too far in the task of a second message",
        make=polls(_too_far, lambda view: is_second_turn(view) and has_news(view) and not view.final),
        conditional=True,
    ),
    Mutant(
        name="late-reader-gets-one-chunk",
        requirement="POLL-5",
        fault="keeps the answer as a single chunk behind its end",
        make=polls(_merged, is_late),
        conditional=True,
    ),
    Mutant(
        name="ended-log-forgotten",
        requirement="POLL-13",
        fault="returns no events of a task that has ended to who reads them again",
        make=polls(_nothing, lambda view: view.final and is_re_read(view)),
        also=frozenset({"POLL-5", "POLL-8"}),
        conditional=True,
    ),
    Mutant(
        name="ended-log-loses-its-beginning",
        requirement="POLL-13",
        fault="keeps the last five events of a task that has ended",
        make=polls(_last_five, lambda view: view.final and is_re_read(view)),
        also=frozenset({"POLL-5"}),  # two that read its end at the same moment: one lacks what was just given out
        conditional=True,
    ),
    Mutant(
        name="ended-task-gone",
        requirement="POLL-13",
        fault="answers 404 to polls of a task a second after it told its end",
        make=_gone_a_second_later,
        conditional=True,
    ),
    Mutant(
        name="text-cumulative",
        requirement="POLL-6",
        fault="sends in every chunk the whole text so far",
        make=logs(cumulative),
    ),
    Mutant(
        name="text-cumulative-in-second-message",
        requirement="POLL-6",
        fault="sends the whole text so far in the chunks of a second message's task",
        make=logs(cumulative, is_second_turn),
        conditional=True,
    ),
    Mutant(
        name="text-restated-at-the-end",
        requirement="POLL-6",
        fault="sends the whole text again as the last chunk",
        make=logs(_restated),
        conditional=True,
    ),
    Mutant(
        name="completed-before-the-last-event",
        requirement="POLL-8",
        fault="says completed from the sixth event on, and goes on",
        make=polls(_early_end, is_running),
    ),
    Mutant(
        name="late-reader-gets-a-page",
        requirement="POLL-8",
        fault="returns ten events to a reader who comes late, under a final status",
        make=polls(_page, is_late),
        conditional=True,
    ),
    Mutant(
        name="last-event-cut-for-late-reader",
        requirement="POLL-8",
        fault="leaves the last event out for a reader who comes late",
        make=polls(last_gone, is_late),
        also=frozenset({"POLL-5"}),
        conditional=True,
    ),
    Mutant(
        name="event-behind-the-end",
        requirement="POLL-8",
        fault="adds an event when the end has been told twice",
        make=polls(_afterthought, is_final),
        conditional=True,
    ),
    Mutant(
        name="never-final",
        requirement="POLL-9",
        fault="says running for ever",
        make=polls(says("status", "running"), is_final),
    ),
    Mutant(
        name="second-message-never-final",
        requirement="POLL-9",
        fault="says running for ever in the task of a second message",
        make=polls(says("status", "running"), lambda view: is_second_turn(view) and view.final),
        also=frozenset({"QUEUE-1"}),
        conditional=True,
    ),
    Mutant(
        name="long-task-never-final",
        requirement="POLL-9",
        fault="says running for ever in a task of more than a hundred events",
        make=polls(says("status", "running"), lambda view: is_long(view) and view.final),
        conditional=True,
    ),
)
