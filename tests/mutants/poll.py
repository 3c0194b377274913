"""Mutants in the envelope of a poll: its keys, their types, its status and its caching (POLL rows but the log's)."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.mutants.exchange import Answer, Asked, Forward, Handler, refusal
from tests.mutants.faults import answers, every, header
from tests.mutants.model import Mutant
from tests.mutants.polls import (
    View,
    drops,
    has_news,
    is_empty,
    is_final,
    is_running,
    is_seventh,
    offsets,
    polls,
    says,
)

_PAST = b"Sun, 01 Jun 2025 00:00:00 GMT"
_TO_COME = b"Tue, 01 Jun 2100 00:00:00 GMT"


def running_body(body: bytes) -> bool:
    """Whether a poll's bytes say that the task runs."""
    return b'"status":"running"' in body


def ended_body(body: bytes) -> bool:
    """Whether a poll's bytes say that the task has ended."""
    return b'"status":' in body and not running_body(body)


def idle_body(body: bytes) -> bool:
    """Whether a poll's bytes say that nothing is new yet."""
    return running_body(body) and b'"events":[]' in body


def poll_bytes(change: Callable[[bytes], bytes], when: Callable[[bytes], bool] = lambda _: True) -> Handler:
    """Rewrite the bytes of polls."""

    def rewrite(_: Asked, given: Answer) -> Answer:
        return given.with_body(change(given.body)) if when(given.body) else given

    return answers(rewrite, "pollTask")


def _offset_as(pattern: bytes, when: Callable[[bytes], bool] = lambda _: True) -> Handler:
    return poll_bytes(lambda body: re.sub(rb'"next_offset":(\d+)', b'"next_offset":' + pattern, body), when)


def _poll_header(rewrite: Callable[[Answer], Answer], when: Callable[[bytes], bool] = lambda _: True) -> Handler:
    return answers(lambda _, given: rewrite(given) if when(given.body) else given, "pollTask")


def _no_content(_: Asked, given: Answer) -> Answer:
    if not idle_body(given.body):
        return given
    return Answer(204, given.without(b"content-length", b"content-type").headers, b"")


def _queued(view: View) -> None:
    view.data["status"] = "queued"


def _archived(view: View) -> None:
    """Two polls behind the one that first said so, the final status becomes another."""
    ended = view.task.notes["ended"] = view.task.notes.get("ended", 0) + 1
    if ended > 2:
        view.data["status"] = "archived"


def _running_again(view: View) -> None:
    ended = view.task.notes["ended"] = view.task.notes.get("ended", 0) + 1
    if ended % 2 == 0:
        view.data["status"] = "running"


def _waits_once(view: View) -> None:
    """At the first answer behind the tenth event the task waits, it says, for a tool."""
    if len(view.log) > 10 and "waited" not in view.task.notes:
        view.task.notes["waited"] = True
        view.data["status"] = "waiting"


async def _drifting(asked: Asked, forward: Forward) -> Answer:
    """Offsets are positions in thousandths, and move on by one where nothing is new."""
    text = asked.offset_text
    if asked.task is None or text is None or not (text.isascii() and text.isdigit() and len(text) <= 15):
        return await forward(asked)
    offset = int(text)
    given = await forward(asked.polling(offset // 1000))
    if given.status != 200:
        return given
    data = given.json()["data"]
    moved = data["next_offset"] * 1000 if data["events"] else offset + 1
    return given.with_json({"data": {**data, "next_offset": moved}})


_BIG = 2**53

MUTANTS = (
    Mutant(
        name="poll-without-envelope",
        requirement="POLL-1",
        fault="answers polls without data around them",
        make=answers(lambda _, given: given.with_json(given.json()["data"]), "pollTask"),
    ),
    Mutant(
        name="idle-poll-no-content",
        requirement="POLL-1",
        fault="answers 204 to a poll for which nothing is new",
        make=answers(_no_content, "pollTask"),
        conditional=True,
    ),
    Mutant(
        name="idle-poll-empty-object",
        requirement="POLL-1",
        fault="answers {} to a poll for which nothing is new",
        make=poll_bytes(lambda _: b"{}", idle_body),
        conditional=True,
    ),
    Mutant(
        name="seventh-poll-breaks",
        requirement="POLL-1",
        fault="answers 500 to every 7th poll of a task",
        make=every(7, refusal(500, "internal_error")),
        conditional=True,
    ),
    Mutant(
        name="final-without-next-offset",
        requirement="POLL-2",
        fault="leaves next_offset out of the final answer",
        make=polls(drops("next_offset"), is_final),
        conditional=True,
    ),
    Mutant(
        name="idle-without-next-offset",
        requirement="POLL-2",
        fault="leaves next_offset out where nothing is new",
        make=polls(drops("next_offset"), is_empty),
        conditional=True,
    ),
    Mutant(
        name="next-offset-float",
        requirement="POLL-3",
        fault="writes next_offset as 3.0",
        make=_offset_as(rb"\1.0"),
    ),
    Mutant(
        name="next-offset-float-at-the-end",
        requirement="POLL-3",
        fault="writes next_offset as 3.0 in the final answer",
        make=_offset_as(rb"\1.0", ended_body),
        conditional=True,
    ),
    Mutant(
        name="next-offset-exponent",
        requirement="POLL-3",
        fault="writes next_offset as 3e0 where nothing is new",
        make=_offset_as(rb"\1e0", idle_body),
        conditional=True,
    ),
    Mutant(
        name="next-offset-string",
        requirement="POLL-3",
        fault="writes next_offset as a string",
        make=_offset_as(rb'"\1"'),
    ),
    Mutant(
        name="next-offset-null-at-the-end",
        requirement="POLL-3",
        fault="writes next_offset as null in the final answer",
        make=_offset_as(b"null", ended_body),
        conditional=True,
    ),
    Mutant(
        name="next-offset-huge",
        requirement="POLL-4",
        fault="gives offsets above 2^53",
        make=offsets(lambda at: at and at + _BIG, lambda offset: offset and offset - _BIG),
    ),
    Mutant(
        name="next-offset-huge-behind-100",
        requirement="POLL-4",
        fault="gives offsets above 2^53 behind the hundredth event",
        make=offsets(
            lambda at: at if at <= 100 else at + _BIG, lambda offset: offset if offset <= 100 else offset - _BIG
        ),
        conditional=True,
    ),
    Mutant(
        name="queued-at-first",
        requirement="POLL-7",
        fault="says status queued at the first poll of a task",
        make=polls(_queued, lambda view: view.poll == 1 and not view.final),
        conditional=True,
    ),
    Mutant(
        name="status-upper-case",
        requirement="POLL-7",
        fault="says RUNNING",
        make=polls(says("status", "RUNNING"), is_running),
        also=frozenset({"POLL-8"}),
    ),
    Mutant(
        name="status-missing-when-idle",
        requirement="POLL-7",
        fault="leaves status out where nothing is new",
        make=polls(drops("status"), is_empty),
        conditional=True,
    ),
    Mutant(
        name="status-null-on-seventh-poll",
        requirement="POLL-7",
        fault="says status null on every 7th poll of a task",
        make=polls(says("status", None), lambda view: is_seventh(view) and not view.final),
        also=frozenset({"POLL-8"}),
        conditional=True,
    ),
    Mutant(
        name="status-waits-for-a-tool",
        requirement="POLL-7",
        fault="says status waiting once, in the middle of a task",
        make=polls(_waits_once, is_running),
        also=frozenset({"POLL-8"}),  # for a reader who meets the status behind another
        conditional=True,
    ),
    Mutant(
        name="status-running-again",
        requirement="POLL-7",
        fault="says completed and running by turns at the end",
        make=polls(_running_again, is_final),
        conditional=True,
    ),
    Mutant(
        name="final-status-changes",
        requirement="POLL-7",
        fault="says archived in place of completed from the third answer behind the end",
        make=polls(_archived, is_final),
        conditional=True,
    ),
    Mutant(
        name="idle-events-null",
        requirement="POLL-10",
        fault="says events null where nothing is new",
        make=polls(says("events", None), is_empty),
        conditional=True,
    ),
    Mutant(
        name="events-missing-at-the-end",
        requirement="POLL-10",
        fault="leaves events out of a final answer that has none",
        make=polls(drops("events"), lambda view: view.final and view.empty),
        conditional=True,
    ),
    Mutant(
        name="events-by-index",
        requirement="POLL-10",
        fault="sends events as an object with an index for each key",
        make=polls(lambda view: view.data.update(events=dict(enumerate(view.data["events"]))), has_news),
    ),
    Mutant(
        name="poll-max-age",
        requirement="POLL-11",
        fault="lets every poll be cached for a minute",
        make=header(b"cache-control", b"private, max-age=60", "pollTask"),
    ),
    Mutant(
        name="idle-poll-max-age",
        requirement="POLL-11",
        fault="lets a poll for which nothing is new be cached for a second",
        make=_poll_header(lambda given: given.with_header(b"cache-control", b"max-age=1"), idle_body),
        conditional=True,
    ),
    Mutant(
        name="poll-expires",
        requirement="POLL-11",
        fault="sends polls with an Expires to come",
        make=_poll_header(lambda given: given.without(b"cache-control").adding(b"expires", _TO_COME)),
    ),
    Mutant(
        name="poll-last-modified",
        requirement="POLL-11",
        fault="sends polls with an old Last-Modified and nothing else for a cache to go by",
        make=_poll_header(lambda given: given.without(b"cache-control").adding(b"last-modified", _PAST)),
    ),
    Mutant(
        name="offset-drifts-when-idle",
        requirement="POLL-12",
        fault="moves next_offset on where nothing is new, and loses nothing by it",
        make=_drifting,
        conditional=True,
    ),
    Mutant(
        name="poll-without-cache-control",
        requirement="CACHE-1",
        fault="sends polls without Cache-Control",
        make=header(b"cache-control", None, "pollTask"),
    ),
    Mutant(
        name="idle-poll-without-cache-control",
        requirement="CACHE-1",
        fault="sends no Cache-Control where nothing is new",
        make=_poll_header(lambda given: given.without(b"cache-control"), idle_body),
        conditional=True,
    ),
)
