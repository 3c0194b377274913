"""Faults in what a poll returns: each sees the whole log of its task and may answer anything instead."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.mutants.exchange import Answer, Asked, Forward, Handler, Task

Event = dict[str, Any]
_MOST_DIGITS = 40
"""Of an offset that is looked at; the right server refuses what is longer."""


@dataclass(slots=True)
class View:
    """One poll: what is true, and in `data` what will be said."""

    asked: Asked
    task: Task
    start: int
    """The position asked for."""
    log: list[Event]
    """All events so far."""
    final: bool
    data: dict[str, Any]
    """`status`, `next_offset` and `events`, right until a fault changes them."""
    under_way: int = 1
    """How many polls of this task are being answered, this one included."""

    @property
    def empty(self) -> bool:
        """Whether nothing is new."""
        return self.start >= len(self.log)

    @property
    def poll(self) -> int:
        """Which poll of its task it is, from 1."""
        return self.asked.poll


Change = Callable[[View], None]
If = Callable[[View], bool]


def whenever(_: View) -> bool:
    """Every poll."""
    return True


def is_final(view: View) -> bool:
    """Only where the status is final."""
    return view.final


def is_running(view: View) -> bool:
    """Only while the task runs."""
    return not view.final


def is_empty(view: View) -> bool:
    """Only where nothing is new, and the task runs."""
    return view.empty and not view.final


def has_news(view: View) -> bool:
    """Only where events are returned."""
    return not view.empty


def is_seventh(view: View) -> bool:
    """Only on every 7th poll of a task."""
    return view.poll % 7 == 0


def is_late(view: View) -> bool:
    """Only for a reader whose first poll comes when the task has ended."""
    return view.final and view.start == 0


def is_re_read(view: View) -> bool:
    """Only where an offset is asked for again that was answered with events before."""
    return view.start in view.task.notes.get("read", ())


def is_second_turn(view: View) -> bool:
    """Only for the second message of a conversation and later ones."""
    return view.task.turn >= 2


def is_long(view: View) -> bool:
    """Only behind the hundredth event."""
    return len(view.log) > 100


def overlaps(view: View) -> bool:
    """Only where another poll of the same task is being answered."""
    return view.under_way > 1


def view_of(asked: Asked, given: Answer, task: Task) -> View | None:
    """The poll, from the answer that the right server gives for offset 0; None for an offset that it would refuse."""
    body, text = given.json(), asked.offset_text
    if given.status != 200 or text is None or not text.isascii() or not text.isdigit() or len(text) > 15:
        return None
    data, start = body["data"], int(text)
    log = data["events"]
    # Behind the end stands only who was sent there by this very fault; the right server would refuse that offset.
    sent_there = start in task.notes.get("given", ())
    if (start > len(log) and not sent_there) or asked.query != b"from=" + text.encode():
        return None
    said = {"status": data["status"], "next_offset": max(start, len(log)), "events": log[start:]}
    return View(asked, task, start, log, data["status"] != "running", said)


def polls(change: Change, when: If = whenever, *, slow: float = 0.0) -> Handler:
    """Change what polls say. `slow` holds every answer back that long, so that polls of several readers overlap."""

    async def handle(asked: Asked, forward: Forward) -> Answer:
        task = asked.task
        if asked.operation != "pollTask" or task is None:
            return await forward(asked)
        task.notes["under_way"] = task.notes.get("under_way", 0) + 1
        under_way = task.notes["under_way"]
        try:
            if slow:
                await asyncio.sleep(slow)
            whole = await forward(asked.polling(0))
            under_way = max(under_way, task.notes["under_way"])
        finally:
            task.notes["under_way"] -= 1
        view = view_of(asked, whole, task)
        if view is None:
            return await forward(asked)
        view.under_way = under_way
        if when(view):
            change(view)
        if not view.empty:
            task.notes.setdefault("read", set()).add(view.start)
        task.notes.setdefault("given", set()).add(view.data.get("next_offset"))
        return whole.with_json({"data": view.data})

    return handle


def says(key: str, value: Any) -> Change:
    """Say something else under one key."""

    def change(view: View) -> None:
        view.data[key] = value

    return change


def drops(key: str) -> Change:
    """Leave a key out."""

    def change(view: View) -> None:
        del view.data[key]

    return change


def each(rewrite: Callable[[int, Event], Any], when: If = whenever) -> Handler:
    """Rewrite every event by its position and itself, the same for every reader."""

    def change(view: View) -> None:
        view.data["events"] = [rewrite(view.start + index, event) for index, event in enumerate(view.data["events"])]

    return polls(change, when)


def chunk(text: str) -> Event:
    """An event that clients print."""
    return {"type": "text_chunk", "data": {"content": text}}


def is_chunk(event: Event) -> bool:
    """Whether clients print it."""
    return bool(event["type"] == "text_chunk")


def content(event: Event) -> str:
    """What a client prints of an event."""
    return str(event["data"]["content"]) if is_chunk(event) else ""


def logs(rewrite: Callable[[View, list[Event]], list[Event]], when: If = whenever) -> Handler:
    """Serve another log than the true one, with offsets into it: events are lost, doubled or put in for everybody.

    The rewritten log must only grow as the true one grows.
    """

    async def handle(asked: Asked, forward: Forward) -> Answer:
        task = asked.task
        if asked.operation != "pollTask" or task is None:
            return await forward(asked)
        whole = await forward(asked.polling(0))
        at_zero = view_of(asked.polling(0), whole, task)
        if at_zero is None or not when(at_zero):
            return await forward(asked)
        log = rewrite(at_zero, at_zero.log)
        text = "0" if asked.offset_text is None else asked.offset_text
        if not (text.isascii() and text.isdigit() and len(text) <= 15 and int(text) <= len(log)):
            return await forward(asked.polling(text if not text.isdigit() else 10**15))
        events = log[int(text) :]
        return whole.with_json({"data": {**at_zero.data, "next_offset": len(log), "events": events}})

    return handle


def offsets(encode: Callable[[int], int], decode: Callable[[int], int | None]) -> Handler:
    """Name positions by other numbers; a number that names none is refused."""

    async def handle(asked: Asked, forward: Forward) -> Answer:
        text = asked.offset_text
        is_number = text is not None and text.isascii() and text.lstrip("-").isdigit() and len(text) <= _MOST_DIGITS
        if asked.operation != "pollTask" or text is None or not is_number:
            return await forward(asked)
        position = decode(int(text))
        given = await forward(asked.polling(10**15 if position is None else position))
        if given.status != 200:
            return given
        data = given.json()["data"]
        return given.with_json({"data": {**data, "next_offset": encode(data["next_offset"])}})

    return handle
