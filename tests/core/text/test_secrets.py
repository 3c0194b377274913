"""No form of a secret survives, and nothing else is touched."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sendpoll.core.text.secrets import MASK, Redactor
from sendpoll.schemas.contract import own_words

TOKEN = "s3cr3t/Tok+en=?&<\"'\\>~4fK9"
SECRETS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=4, max_size=60)
AROUND = st.text(st.sampled_from(" \n，。"), max_size=5)
SPELLINGS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "in capitals": str.upper,
    "percent, as Python": quote,
    "percent, whole": lambda secret: quote(secret, safe=""),
    "percent, as JavaScript": lambda secret: quote(secret, safe="!'()*"),
    "percent, lower case": lambda secret: "".join(f"%{byte:02x}" for byte in secret.encode()),
    "percent, upper case": lambda secret: "".join(f"%{byte:02X}" for byte in secret.encode()),
    "percent, twice": lambda secret: quote(quote(secret, safe=""), safe=""),
    "JSON": lambda secret: json.dumps(secret)[1:-1],
    "JSON of JSON": lambda secret: json.dumps(json.dumps(secret))[3:-3],
    "JSON, as PHP": lambda secret: json.dumps(secret)[1:-1].replace("/", "\\/"),
    "JSON, as Go": lambda secret: "".join(f"\\u{ord(c):04x}" if c in "<>&" else c for c in json.dumps(secret)[1:-1]),
    "JSON, all escaped": lambda secret: "".join(f"\\u{ord(c):04X}" for c in secret),
    "repr": lambda secret: repr(secret)[1:-1],
    "repr of JSON": lambda secret: repr(json.dumps(secret))[2:-2],
    "HTML": html.escape,
    "HTML, as Jinja": lambda secret: html.escape(secret).replace("&quot;", "&#34;").replace("&#x27;", "&#39;"),
    "HTML, twice": lambda secret: html.escape(html.escape(secret)),
    "hexadecimal": lambda secret: secret.encode().hex(),
    "hexadecimal, upper case": lambda secret: secret.encode().hex().upper(),
    "hexadecimal, spaced": lambda secret: secret.encode().hex(" "),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@settings(max_examples=25, deadline=None)
@given(secret=st.one_of(st.just(TOKEN), SECRETS), before=AROUND, after=AROUND)
def test_a_secret_is_masked_however_it_is_spelt(spelling: str, secret: str, before: str, after: str) -> None:
    spelt = SPELLINGS[spelling](secret)
    assert Redactor([secret]).text(f"{before}，{spelt}。{after}") == f"{before}，{MASK}。{after}"


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@settings(max_examples=60, deadline=None)
@given(secret=SECRETS, before=st.binary(max_size=4), after=st.binary(max_size=4))
def test_no_more_than_a_rim_of_base64_survives(
    encode: Callable[[bytes], bytes], secret: str, before: bytes, after: bytes
) -> None:
    """At each alignment; what stands at the rim says a few bits of the first and the last character."""
    whole = encode(before + secret.encode() + after).decode()
    shown = Redactor([secret]).text(whole)
    start, end = -(-len(before) * 4 // 3), (len(before) + len(secret)) * 8 // 6
    assert MASK in shown
    assert whole[start + 1 : end] not in shown


@settings(max_examples=60, deadline=None)
@given(secret=st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=12, max_size=60), data=st.data())
def test_no_longer_piece_of_a_cut_secret_survives(secret: str, data: st.DataObject) -> None:
    """Reports cut what they show; what is left of a secret at the cut is less than ten characters of it."""
    start = data.draw(st.integers(0, len(secret) - 10))
    end = data.draw(st.integers(start + 10, len(secret)))
    shown = Redactor([secret]).text(f"it says '{secret[start:end]}")
    rest = shown.replace(MASK, "\0")
    assert not any(secret[i : i + 10] in rest for i in range(len(secret) - 9))


@given(st.text(max_size=80))
def test_without_a_secret_nothing_is_touched(text: str) -> None:
    assert Redactor([]).text(text) == text
    assert Redactor(["", "long-enough-and-absent"]).text(text) == text


@pytest.mark.parametrize("token", ["T", "7", "ok", "api"])
def test_a_short_secret_is_masked_as_a_word_and_garbles_none(token: str) -> None:
    redactor = Redactor([token])
    assert redactor.text("POST /api7/bookapis OKAY 1718 TOKENS") == "POST /api7/bookapis OKAY 1718 TOKENS"
    assert redactor.text(f"Authorization: Bearer {token}") == f"Authorization: Bearer {MASK}"
    assert redactor.text(f'{{"token":"{token}"}}') == f'{{"token":"{MASK}"}}'


def test_the_longer_of_two_secrets_goes_as_a_whole() -> None:
    assert Redactor(["secret", "secret-and-more"]).text("secret-and-more, secret") == f"{MASK}, {MASK}"


def test_every_text_of_a_json_value_is_masked() -> None:
    value = {"secret-token": ["secret-token", {"a": ("x secret-token y", 1, None, True)}]}
    assert Redactor(["secret-token"]).data(value) == {"secret-token": [MASK, {"a": [f"x {MASK} y", 1, None, True]}]}


def test_a_secret_of_many_characters_is_looked_for_all_the_same() -> None:
    token = "".join(chr(0x21 + index * 7 % 94) for index in range(1500))
    assert Redactor([token]).text(f"<{token}>") == f"<{MASK}>"


def test_a_formats_own_words_are_no_secrets() -> None:
    """Nobody told them: they are in every report."""
    told = {"verdict": "fail", "said": "fail: no", "rows": [{"unit": "s"}]}
    assert Redactor(["fail"]).data(told, own_words("files/plan.json")) == {
        "verdict": "fail",
        "said": f"{MASK}: no",
        "rows": [{"unit": "s"}],
    }
