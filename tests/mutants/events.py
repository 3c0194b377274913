"""Mutants in the events themselves (EVT rows)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.mutants.model import Mutant
from tests.mutants.polls import Event, View, content, each, is_chunk, is_long, is_running, is_second_turn, logs


def _other_kinds(rewrite: Callable[[Event], Any]) -> Callable[[int, Event], Any]:
    """Rewrite the events that no client prints."""
    return lambda _, event: event if is_chunk(event) else rewrite(event)


def _chunks(rewrite: Callable[[Event], Any], when: Callable[[str], bool] = bool) -> Callable[[int, Event], Any]:
    """Rewrite the chunks whose text is of a kind."""
    return lambda _, event: rewrite(event) if is_chunk(event) and when(content(event)) else event


def _without_type(event: Event) -> Event:
    return {key: value for key, value in event.items() if key != "type"}


def _with_content(value: Any) -> Callable[[Event], Event]:
    return lambda _: {"type": "text_chunk", "data": {"content": value}}


def _flat(event: Event) -> Event:
    return {"type": "text_chunk", "content": content(event)}


def _has_emoji(text: str) -> bool:
    return any(ord(character) > 0xFFFF for character in text)


def _units(text: str) -> list[str]:
    """The text's UTF-16 code units, each as a character."""
    raw = text.encode("utf-16-le")
    return [chr(int.from_bytes(raw[at : at + 2], "little")) for at in range(0, len(raw), 2)]


def _cut_pairs(_: View, log: list[Event]) -> list[Event]:
    """Chunks that hold an emoji are cut in two behind its first code unit."""
    cut: list[Event] = []
    for event in log:
        units = _units(content(event)) if is_chunk(event) and _has_emoji(content(event)) else []
        high = next((at for at, unit in enumerate(units) if "\ud800" <= unit <= "\udbff"), None)
        if high is None:
            cut.append(event)
        else:
            parts = ("".join(units[: high + 1]), "".join(units[high + 1 :]))
            # A pair further on in the second part is joined again, as a right server writes it.
            joined = [part.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass") for part in parts]
            cut.extend(_with_content(part)(event) for part in joined)
    return cut


def _low_surrogate(event: Event) -> Event:
    return _with_content("\udc4d" + content(event))(event)


MUTANTS = (
    Mutant(
        name="heartbeat-null",
        requirement="EVT-1",
        fault="sends null in place of a heartbeat",
        make=each(lambda _, event: None if event["type"] == "heartbeat" else event),
        conditional=True,
    ),
    Mutant(
        name="event-101-a-string",
        requirement="EVT-1",
        fault="sends the 101st event as a string",
        make=each(lambda at, event: "keep-alive" if at == 100 else event, is_long),
        conditional=True,
    ),
    Mutant(
        name="other-kinds-without-type",
        requirement="EVT-2",
        fault="sends events other than text_chunk without type",
        make=each(_other_kinds(_without_type)),
    ),
    Mutant(
        name="heartbeat-without-type",
        requirement="EVT-2",
        fault="sends heartbeats as empty objects",
        make=each(lambda _, event: {} if event["type"] == "heartbeat" else event),
        conditional=True,
    ),
    Mutant(
        name="usage-kind-for-type",
        requirement="EVT-2",
        fault="writes kind in place of type in the last event",
        make=each(lambda _, event: {"kind": "usage", "data": event["data"]} if event["type"] == "usage" else event),
        conditional=True,
    ),
    Mutant(
        name="content-beside-type",
        requirement="EVT-3",
        fault="puts content beside type, not into data",
        make=each(_chunks(_flat)),
    ),
    Mutant(
        name="data-null-on-one-chunk",
        requirement="EVT-3",
        fault="sends chunks that hold a combining accent with data null",
        make=each(_chunks(lambda event: {**event, "data": None}, lambda text: "\u0301" in text)),
        conditional=True,
    ),
    Mutant(
        name="data-a-string-in-second-message",
        requirement="EVT-3",
        fault="sends data as the text itself in the task of a second message",
        make=each(_chunks(lambda event: {**event, "data": content(event)}), is_second_turn),
        also=frozenset({"QUEUE-1"}),
        conditional=True,
    ),
    Mutant(
        name="content-null-at-the-end",
        requirement="EVT-4",
        fault="sends the last chunk with content null",
        make=each(_chunks(_with_content(None), lambda text: text == "完。")),
        conditional=True,
    ),
    Mutant(
        name="content-a-list",
        requirement="EVT-4",
        fault="sends content as a list of parts",
        make=each(_chunks(lambda event: _with_content([{"text": content(event)}])(event))),
    ),
    Mutant(
        name="content-a-number-while-running",
        requirement="EVT-4",
        fault="sends content as a number where the text is beyond ASCII and the task runs",
        make=each(_chunks(_with_content(0), lambda text: not text.isascii()), is_running),
        also=frozenset({"POLL-5"}),
        conditional=True,
    ),
    Mutant(
        name="emoji-cut-in-two-chunks",
        requirement="EVT-5",
        fault="cuts a surrogate pair over two chunks",
        make=logs(_cut_pairs),
        conditional=True,
    ),
    Mutant(
        name="lone-surrogate",
        requirement="EVT-5",
        fault="begins chunks that hold an emoji with half of another one",
        make=each(_chunks(_low_surrogate, _has_emoji)),
        conditional=True,
    ),
)
