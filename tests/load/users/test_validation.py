"""The fast judge says the same as the one that explains, and sees what no schema can."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendpoll.core.validation import checker, findings
from sendpoll.load.users.validation import CONVERSATION, POLL, TASK, ResponseJudge, UnusableBodyError
from sendpoll.schemas.contract import document

GOOD: dict[str, dict[str, Any]] = {
    POLL: {
        "data": {
            "status": "running",
            "next_offset": 3,
            "events": [{"type": "text_chunk", "data": {"content": "你好"}}, {"type": "heartbeat", "data": None}],
        }
    },
    CONVERSATION: {"conversation_id": "c1"},
    TASK: {"task_id": "t-1"},
}
ODD_VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=8),
    st.lists(st.integers(), max_size=2), st.dictionaries(st.text(max_size=4), st.integers(), max_size=2),
    st.sampled_from(["a/b", "a b", "{x}", "\\", '"', "%41", "..", "", 3.0, 2**53, -1]),
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where in a JSON value something can be replaced."""
    found = [path]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found += places(item, (*path, key))
    return found


@st.composite
def mutated(draw: st.DrawFn, name: str) -> Any:
    """A good document with one value replaced or taken out."""
    holder = [copy.deepcopy(GOOD[name])]
    path: tuple[Any, ...] = (0, *draw(st.sampled_from(places(GOOD[name]))))
    inner: Any = holder
    for key in path[:-1]:
        inner = inner[key]
    if draw(st.booleans()) and isinstance(inner, dict):
        del inner[path[-1]]
    else:
        inner[path[-1]] = draw(ODD_VALUES)
    return holder[0]


@pytest.mark.parametrize("name", [POLL, CONVERSATION, TASK])
def test_both_judges_accept_the_examples(name: str) -> None:
    for example in [GOOD[name], *document(name)["examples"]]:
        assert checker(name)(example)
        assert not list(findings(name, example))


@given(st.sampled_from([POLL, CONVERSATION, TASK]).flatmap(lambda name: st.tuples(st.just(name), mutated(name))))
def test_both_judges_agree_on_what_is_broken(case: tuple[str, Any]) -> None:
    name, value = case
    assert checker(name)(value) == (not list(findings(name, value)))


def body(**data: Any) -> bytes:
    return json.dumps({"data": {**GOOD[POLL]["data"], **data}}).encode()


def test_a_good_poll_is_read() -> None:
    read = ResponseJudge().poll(json.dumps(GOOD[POLL]).encode())
    assert (read.status, read.next_offset, len(read.events), read.findings, read.readable) == (
        "running",
        3,
        2,
        (),
        True,
    )


def test_an_answer_without_news_is_judged_once() -> None:
    judge = ResponseJudge()
    assert judge.poll(body(events=[])) is judge.poll(body(events=[]))
    assert judge.poll(body()) is not judge.poll(body())


def test_what_is_remembered_is_bounded() -> None:
    judge = ResponseJudge()
    for number in range(10_000):
        judge.poll(body(events=[], next_offset=number))
    assert len(judge._known) <= 4096


@pytest.mark.parametrize(
    ("raw", "requirement"),
    [
        (b"", "POLL-1"),
        (b"{}}", "JSON-1"),
        (b"\xef\xbb\xbf{}", "JSON-1"),
        (body().replace(b"3", b"NaN"), "JSON-2"),
        (body().replace(b"null", b"-Infinity"), "JSON-2"),
        (b"[" * 100_000, "JSON-3"),
        (b"[" + b"1" * 5000 + b"]", "JSON-3"),
        (b'{"data": "\xff"}', "ENC-1"),
        (body(next_offset=3.0), "POLL-3"),
        (body(next_offset="3"), "POLL-3"),
        (body().replace(b"3", b"3e0"), "POLL-3"),
        (body(status=None), "POLL-7"),
        (body(events=None), "POLL-10"),
        (b"{}", "POLL-1"),
    ],
)
def test_what_no_client_can_use_is_called_by_its_requirement(raw: bytes, requirement: str) -> None:
    read = ResponseJudge().poll(raw)
    assert not read.readable
    assert requirement in {broken for broken, _ in read.findings}


@pytest.mark.parametrize(
    ("events", "requirement"),
    [
        ([{"data": {}}], "EVT-2"),
        ([{"type": "text_chunk", "data": {"content": 5}}], "EVT-4"),
        ([{"type": "text_chunk", "data": {"content": "\ud83d"}}], "EVT-5"),
    ],
)
def test_a_broken_event_is_called_and_the_poll_still_read(events: list[Any], requirement: str) -> None:
    read = ResponseJudge().poll(body(events=events))
    assert read.readable
    assert [broken for broken, _ in read.findings] == [requirement]


def test_an_emoji_in_escapes_is_no_lone_surrogate() -> None:
    assert (
        ResponseJudge().poll(body(events=[{"type": "text_chunk", "data": {"content": "👩🏽\u200d🚀"}}])).findings == ()
    )


def test_ids_are_read_with_what_is_wrong_about_them() -> None:
    assert ResponseJudge.identifier(b'{"task_id": "t1"}', TASK, "task_id") == ("t1", ())
    identifier, broken = ResponseJudge.identifier(b'{"task_id": "a/b"}', TASK, "task_id")
    assert (identifier, [requirement for requirement, _ in broken]) == ("a/b", ["ID-2"])


@pytest.mark.parametrize("raw", [b'{"task_id": 5}', b'{"task_id": ""}', b"{}", b"[]", b"null", b"no"])
def test_where_there_is_no_id_it_is_refused(raw: bytes) -> None:
    with pytest.raises(UnusableBodyError) as refused:
        ResponseJudge.identifier(raw, TASK, "task_id")
    assert refused.value.findings
