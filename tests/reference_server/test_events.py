from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendpoll.reference_server.events import Event, encode, text_chunk


@given(st.text())
def test_text_comes_back_as_it_went_in(content: str) -> None:
    assert json.loads(encode(text_chunk(content)).decode("utf-8"))["data"]["content"] == content


@given(st.text(st.characters(categories=["Cs", "Lu"])))
def test_lone_surrogates_never_reach_the_wire(content: str) -> None:
    decoded = json.loads(encode(text_chunk(content)).decode("utf-8"))["data"]["content"]
    assert not any("\ud800" <= character <= "\udfff" for character in decoded)


def test_a_pair_written_as_two_surrogates_becomes_its_character() -> None:
    assert encode(text_chunk("\ud83d\udc4b")) == '{"type":"text_chunk","data":{"content":"👋"}}'.encode()


def test_an_event_may_have_null_data() -> None:
    assert encode(Event("heartbeat")) == b'{"type":"heartbeat","data":null}'


def test_what_json_has_no_word_for_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode(Event("usage", float("nan")))
