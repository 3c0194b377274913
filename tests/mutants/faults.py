"""What faults are put together from: whom they hit, and what they do to a request, an answer or a body."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from tests.mutants.exchange import Answer, Asked, Forward, Handler, refusal

When = Callable[[Asked], bool]
Rewrite = Callable[[Asked, Answer], Answer]

ALL_CALLS = ("createWorkspace", "createConversation", "sendMessage", "pollTask")


def always(_: object) -> bool:
    """The condition of an unconditional fault."""
    return True


def requests(change: Callable[[Asked], Asked], *operations: str, when: When = always) -> Handler:
    """Hand the right server other requests than those that came."""

    async def handle(asked: Asked, forward: Forward) -> Answer:
        hit = asked.operation in operations and when(asked)
        return await forward(change(asked) if hit else asked)

    return handle


def answers(rewrite: Rewrite, *operations: str, when: When = always, errors: bool = False) -> Handler:
    """Rewrite the successes, or the errors, of these operations (`""` stands for requests that are no call)."""

    async def handle(asked: Asked, forward: Forward) -> Answer:
        given = await forward(asked)
        hit = asked.operation in operations and (given.status >= 400) == errors and when(asked)
        return rewrite(asked, given) if hit else given

    return handle


def bodies(change: Callable[[Any], Any], *operations: str, when: When = always) -> Handler:
    """Rewrite the JSON value of these operations' successes."""
    return answers(lambda _, given: given.with_json(change(given.json())), *operations, when=when)


def raw_bodies(change: Callable[[bytes], bytes], *operations: str, when: When = always) -> Handler:
    """Rewrite the bytes of these operations' successes."""
    return answers(lambda _, given: given.with_body(change(given.body)), *operations, when=when)


def header(name: bytes, value: bytes | None, *operations: str, when: When = always, errors: bool = False) -> Handler:
    """Replace a header in these operations' answers, or take it away."""

    def rewrite(_: Asked, given: Answer) -> Answer:
        return given.without(name) if value is None else given.with_header(name, value)

    return answers(rewrite, *operations, when=when, errors=errors)


def refuses(status: int, *operations: str, when: When = always) -> Handler:
    """Refuse what should be granted; the right server never hears of it."""
    return replies(refusal(status), *operations, when=when)


def replies(given: Answer, *operations: str, when: When = always) -> Handler:
    """Answer without asking the right server."""

    async def handle(asked: Asked, forward: Forward) -> Answer:
        return given if asked.operation in operations and when(asked) else await forward(asked)

    return handle


def errors_become(given: Answer, *operations: str, when: Callable[[Asked, Answer], bool]) -> Handler:
    """Put another answer in the place of certain errors."""

    async def handle(asked: Asked, forward: Forward) -> Answer:
        right = await forward(asked)
        hit = right.status >= 400 and asked.operation in operations and when(asked, right)
        return given if hit else right

    return handle


def hangs(*operations: str, when: When = always) -> Handler:
    """Never answer."""

    async def handle(asked: Asked, forward: Forward) -> Answer:
        if asked.operation in operations and when(asked) and asked.gone:
            await asked.gone()
        return await forward(asked)

    return handle


def delays(seconds: float, *operations: str, when: When = always) -> Handler:
    """Answer late."""

    async def handle(asked: Asked, forward: Forward) -> Answer:
        given = await forward(asked)
        if asked.operation in operations and when(asked) and asked.gone:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await asked.gone()
        return given

    return handle


def both(*handlers: Handler) -> Handler:
    """One fault in several places: the first handler stands outermost."""

    def around(outer: Handler, inner: Handler) -> Handler:
        async def handle(asked: Asked, forward: Forward) -> Answer:
            return await outer(asked, lambda again: inner(again, forward))

        return handle

    handler = handlers[-1]
    for outer in reversed(handlers[:-1]):
        handler = around(outer, handler)
    return handler


def every(count: int, instead: Answer) -> Handler:
    """Answer every so many good polls of a task otherwise."""

    async def handle(asked: Asked, forward: Forward) -> Answer:
        given = await forward(asked)
        if asked.task is None or given.status != 200:
            return given
        good = asked.task.notes["good"] = asked.task.notes.get("good", 0) + 1
        return instead if good % count == 0 else given

    return handle


def has(name: bytes, *needles: bytes) -> When:
    """Whether the request carries a header, with one of these in its lower-case value if any are given."""

    def test(asked: Asked) -> bool:
        value = asked.header(name)
        return value is not None and (not needles or any(needle in value.lower() for needle in needles))

    return test


def lacks(name: bytes, *needles: bytes) -> When:
    """The opposite of `has`."""
    test = has(name, *needles)
    return lambda asked: not test(asked)


def is_ascii(data: bytes) -> bool:
    """Whether the text is read alike in every charset."""
    return all(byte < 128 for byte in data)
