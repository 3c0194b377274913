"""What an answer shows of the characters of a message: all of them, some, or signs in their place."""

from __future__ import annotations

import pytest

from sendpoll.conformance.rules.echo import (
    cut_character,
    find_echo,
    find_repeated,
    garbled_echo,
    repeats_plain_words,
    shows_halves,
)
from sendpoll.conformance.server.inputs.prompts import PROMPTS, prompt

MESSAGE = "你好 one 世界 🎉 two e\u0301 👩\u200d💻 end"
MESSAGES = [f"{prompt('unicode', turn)} [sp00000001Pu0{turn}]" for turn in range(1, len(PROMPTS["unicode"]) + 1)]
LIMITS = [16, 20, 24, 32, 40, 48, 50, 60, 64, 70, 72, 80, 90, 96, 100, 120, 128, 140]
"""Bytes of columns, titles and buffers as they are often met."""


def test_a_message_that_is_repeated_whole_has_lost_nothing() -> None:
    echo = find_echo(MESSAGE, f"You said: {MESSAGE} -- and I heard it.")

    assert echo is not None
    assert not echo.lost
    assert {"你", "🎉"} <= echo.kept


@pytest.mark.parametrize("sign", ["?", "\ufffd", "\ufffd\ufffd\ufffd", ""])
def test_a_character_is_lost_where_a_sign_or_nothing_stands_for_it(sign: str) -> None:
    echo = find_echo(MESSAGE, MESSAGE.replace("世", sign))

    assert echo is not None
    assert echo.lost == {"世"}


@pytest.mark.parametrize("message", MESSAGES)
def test_what_is_read_in_another_charset_is_found_though_nothing_is_left_of_it(message: str) -> None:
    echo = find_echo(message, f"I heard {message.encode('ascii', 'replace').decode()}")

    assert echo is not None
    assert not echo.kept
    assert "介" in echo.lost


def test_a_character_that_stands_twice_and_comes_once_is_kept_and_lost() -> None:
    echo = find_echo("你好 one 你好 two", "你好 one 好 two")

    assert echo is not None
    assert echo.kept & echo.lost == {"你"}


@pytest.mark.parametrize(
    "text", ["", "Hello.", MESSAGE.replace("one", "1"), MESSAGE[: len(MESSAGE) // 2], "一 one 二 two"]
)
def test_an_answer_in_other_words_shows_nothing(text: str) -> None:
    assert find_echo(MESSAGE, text) is None


def test_joiners_and_tone_marks_may_be_left_out() -> None:
    echo = find_echo(MESSAGE, MESSAGE.replace("\u200d", "").replace("\u0301", ""))

    assert echo is not None
    assert not echo.lost


def test_a_message_without_plain_words_is_looked_for_in_vain() -> None:
    assert find_echo("你好", "") is None


def test_a_message_with_a_replacement_character_of_its_own_shows_nothing() -> None:
    assert find_echo("a \ufffd b", "a \ufffd b") is None


@pytest.mark.parametrize("message", MESSAGES)
def test_an_agent_that_obeys_repeats_what_is_quoted_and_no_more(message: str) -> None:
    quoted = message[message.index("「") + 1 : message.index("」")]

    whole, lossy = find_repeated(message, f"好的：{quoted}"), find_repeated(message, quoted.replace("天", ""))

    assert whole is not None
    assert not whole.lost
    assert lossy is not None
    assert lossy.lost == {"天"}


@pytest.mark.parametrize("limit", LIMITS)
def test_a_cut_by_bytes_falls_into_a_character_of_one_of_the_messages(limit: int) -> None:
    cut = [cut_character(message, message.encode()[:limit].decode("utf-8", "replace")) for message in MESSAGES]

    assert any(cut), limit


def test_a_replacement_in_the_middle_is_no_cut_message() -> None:
    assert cut_character(MESSAGE, MESSAGE.replace("界", "\ufffd")) is None


@pytest.mark.parametrize(
    ("chunks", "halves"),
    [
        (["a\ufffd", "\ufffdb"], True),
        (["a\ufffd", "", "\ufffdb"], True),
        (["a\ufffd", " \n", "\u200b", "\ufffdb"], True),
        (["a\ufffd\u200b", "\ufffdb"], True),
        (["a\ufffd", "b"], False),
        (["a\ufffdb", "c"], False),
        (["a\ufffd", "x", "\ufffdb"], False),
        ([], False),
    ],
)
def test_halves_of_a_character_are_seen_over_what_shows_nothing(chunks: list[str], halves: bool) -> None:
    assert shows_halves(chunks) is halves


def test_plain_words_are_those_of_ascii() -> None:
    assert repeats_plain_words("你好 one two", "two, one")
    assert not repeats_plain_words("你好 one two", "one 你好")


def test_no_answer_makes_it_slow() -> None:
    """However often its beginning comes, a message is not looked for for ever."""
    assert find_echo(MESSAGES[0], "「介绍" * 20_000) is None


def test_an_answer_with_the_plain_words_tells_what_it_lacks_of_the_others() -> None:
    found = garbled_echo("你好 one two", "\\u4f60好 one, two")

    assert found is not None
    assert found.kept == frozenset("好")
    assert found.lost == frozenset("你")
    assert garbled_echo("你好 one two", "你好 one") is None
