"""Mutants that do the wrong thing with a from that no client sends on purpose (FROM rows)."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qsl, unquote_plus

from tests.mutants.exchange import Answer, Asked, Forward, Handler, refusal
from tests.mutants.faults import hangs, refuses
from tests.mutants.model import Mutant

Reading = Callable[[str], int | None]


def _texts(asked: Asked) -> list[str]:
    pairs = parse_qsl(asked.query.decode("latin-1"), keep_blank_values=True, errors="replace")
    return [value for name, value in pairs if name == "from"]


def _is_plain(text: str) -> bool:
    return re.fullmatch(r"[0-9]{1,15}", text, re.ASCII) is not None


def _odd(asked: Asked) -> str | None:
    """The one `from` of a poll that is no plain offset; None where there is none."""
    texts = _texts(asked)
    return texts[0] if asked.task and len(texts) == 1 and not _is_plain(texts[0]) else None


def _is_odd(asked: Asked) -> bool:
    return _odd(asked) is not None


def _reads(reading: Reading) -> Handler:
    """Take an odd `from` for some offset; None where this reading does not know it either."""

    async def handle(asked: Asked, forward: Forward) -> Answer:
        text = _odd(asked)
        offset = None if text is None else reading(text)
        return await forward(asked if offset is None else asked.polling(offset))

    return handle


def _as_python(text: str) -> int | None:
    """`int()` takes signs, blanks, underscores and the digits of every script."""
    try:
        return max(int(text), 0)
    except ValueError:
        return None


def _as_number(text: str) -> int | None:
    """What is a number in any notation of a programming language, rounded down."""
    try:
        return max(int(float(text)), 0)
    except (ValueError, OverflowError):
        return None


def _as_c(text: str) -> int:
    """The leading digits, or 0."""
    digits = re.match(r"[0-9]{1,15}", text, re.ASCII)
    return int(digits[0]) if digits else 0


async def _negative_from_the_end(asked: Asked, forward: Forward) -> Answer:
    """A negative offset counts from the end, as a slice does."""
    text = _odd(asked)
    if text is None or not re.fullmatch(r"-[0-9]{1,15}", text, re.ASCII):
        return await forward(asked)
    given = await forward(asked.polling(0))
    data = given.json()["data"]
    return given.with_json({"data": {**data, "events": data["events"][int(text) :]}})


async def _rewound(asked: Asked, forward: Forward) -> Answer:
    """A `from` that is no number cuts the task's log back to its first event, for everybody."""
    if asked.task is None:
        return await forward(asked)
    if _is_odd(asked):
        asked.task.notes["cut"] = True
        return refusal(400, "malformed_offset")
    given = await forward(asked)
    if given.status == 200 and asked.task.notes.get("cut"):
        return given.with_json({"data": {"status": "failed", "next_offset": 1, "events": []}})
    return given


def _past(answer_data: Callable[[int, list[object]], dict[str, object]]) -> Handler:
    """Answer an offset behind the end in some way other than with an error."""

    async def handle(asked: Asked, forward: Forward) -> Answer:
        texts = _texts(asked)
        if asked.task is None or len(texts) != 1 or not _is_plain(texts[0]):
            return await forward(asked)
        whole = await forward(asked.polling(0))
        data = whole.json()["data"] if whole.status == 200 else {"events": []}
        offset = int(texts[0])
        if whole.status != 200 or offset <= len(data["events"]):
            return await forward(asked)
        return whole.with_json({"data": {"status": data["status"], **answer_data(offset, data["events"])}})

    return handle


async def _absent_is_the_end(asked: Asked, forward: Forward) -> Answer:
    """A poll without `from` gets what comes from now on."""
    given = await forward(asked)
    if asked.task is None or _texts(asked) or given.status != 200:
        return given
    return given.with_json({"data": {**given.json()["data"], "events": []}})


async def _any_case(asked: Asked, forward: Forward) -> Answer:
    """Names of parameters are read whatever their case, and the first one counts."""
    pairs = parse_qsl(asked.query.decode("latin-1"))
    given = [value for name, value in pairs if name.lower() == "from"]
    if asked.task is None or len(given) < 2 or not _is_plain(given[0]):
        return await forward(asked)
    return await forward(asked.polling(given[0]))


async def _limit(asked: Asked, forward: Forward) -> Answer:
    """A parameter `limit` cuts the events, but not the offset."""
    given = await forward(asked)
    limit = dict(parse_qsl(asked.query.decode("latin-1"))).get("limit", "")
    if asked.task is None or not _is_plain(limit) or given.status != 200:
        return given
    data = given.json()["data"]
    return given.with_json({"data": {**data, "events": data["events"][: int(limit)]}})


def _is_huge(asked: Asked) -> bool:
    return any(len(text.lstrip("+-0")) > 18 and text.lstrip("+-").isdigit() for text in _texts(asked))


def _has_nul(asked: Asked) -> bool:
    return "\0" in unquote_plus(asked.query.decode("latin-1"))


def _unset(asked: Asked) -> bool:
    return asked.task is not None and not _texts(asked)


MUTANTS = (
    Mutant(
        name="from-required",
        requirement="FROM-1",
        fault="answers 400 to a poll without from",
        make=refuses(400, "pollTask", when=_unset),
        conditional=True,
    ),
    Mutant(
        name="from-absent-is-the-end",
        requirement="FROM-1",
        fault="returns no events to a poll without from",
        make=_absent_is_the_end,
        conditional=True,
    ),
    Mutant(
        name="malformed-from-breaks",
        requirement="FROM-2",
        fault="answers 500 to a from that is no number",
        make=refuses(500, "pollTask", when=_is_odd),
        conditional=True,
    ),
    Mutant(
        name="huge-from-breaks",
        requirement="FROM-6",
        fault="answers 500 to a from beyond 64 bits",
        make=refuses(500, "pollTask", when=_is_huge),
        conditional=True,
    ),
    Mutant(
        name="nul-in-from-hangs",
        requirement="FROM-6",
        fault="never answers a from with a NUL in it",
        make=hangs("pollTask", when=_has_nul),
        also=frozenset({"HTTP-9"}),
        conditional=True,
    ),
    Mutant(
        name="malformed-from-cuts-the-task",
        requirement="FROM-2",
        fault="ends a task at its first event when somebody polls it with a from that is no number",
        make=_rewound,
        also=frozenset({"POLL-5", "POLL-7", "POLL-8"}),
        conditional=True,
    ),
    Mutant(
        name="from-none-breaks",
        requirement="FROM-2",
        fault="answers 500 to from=None alone",
        make=refuses(500, "pollTask", when=lambda asked: asked.offset_text == "None"),
        conditional=True,
    ),
    Mutant(
        name="from-read-as-python-does",
        requirement="FROM-3",
        fault="takes +5, -5, _5 and Arabic digits for offsets",
        make=_reads(_as_python),
        conditional=True,
    ),
    Mutant(
        name="from-read-as-a-number",
        requirement="FROM-3",
        fault="takes 5.0 and 5e0 for offsets",
        make=_reads(_as_number),
        conditional=True,
    ),
    Mutant(
        name="from-read-as-c-does",
        requirement="FROM-3",
        fault="takes the leading digits of from, and 0 where there are none",
        make=_reads(_as_c),
        conditional=True,
    ),
    Mutant(
        name="negative-from-counts-from-the-end",
        requirement="FROM-3",
        fault="takes a negative from for a place counted from the end",
        make=_negative_from_the_end,
        conditional=True,
    ),
    Mutant(
        name="from-behind-the-end-starts-over",
        requirement="FROM-4",
        fault="returns the whole log for a from behind its end",
        make=_past(lambda _, log: {"next_offset": len(log), "events": log}),
        conditional=True,
    ),
    Mutant(
        name="from-behind-the-end-stays-there",
        requirement="FROM-4",
        fault="returns no events and the same offset for a from behind the end, so that what comes is lost",
        make=_past(lambda offset, _: {"next_offset": offset, "events": []}),
        conditional=True,
    ),
    Mutant(
        name="from-in-any-case",
        requirement="FROM-5",
        fault="reads From in place of from if it stands beside it",
        make=_any_case,
        conditional=True,
    ),
    Mutant(
        name="limit-beside-from",
        requirement="FROM-5",
        fault="returns no more events than a parameter limit says, and an offset behind all of them",
        make=_limit,
        conditional=True,
    ),
)
