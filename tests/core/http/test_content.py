"""Bodies: every fault under its row, what clients can read read, and no bytes that make the reading raise or swell."""

from __future__ import annotations

import gzip
import json
import threading
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from sendpoll.core.http.content import Content, read_content
from sendpoll.core.http.limits import BODY_LIMIT
from sendpoll.core.json_text import VALUES_LIMIT, has_lone_surrogate, nesting, strings

TEXT = '{"data": "你好 🎉"}'
VALUE = {"data": "你好 🎉"}


def raw_deflate(body: bytes) -> bytes:
    coder = zlib.compressobj(wbits=-15)
    return coder.compress(body) + coder.flush()


CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "GZIP": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("coding", CODINGS)
def test_each_coding_that_a_client_offers_is_decoded(coding: str) -> None:
    content = read_content(CODINGS[coding](TEXT.encode()), coding)
    assert (content.value, content.faults) == (VALUE, {})


def test_deflate_without_the_frame_of_zlib_is_read_as_clients_do() -> None:
    assert read_content(raw_deflate(TEXT.encode()), "deflate") == read_content(TEXT.encode(), None)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "compress", "gzip, br"])
def test_a_body_that_is_not_in_its_coding_is_told(coding: str) -> None:
    assert read_content(TEXT.encode(), coding).faults.keys() == {"ENC-7"}


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
def test_a_compressed_body_that_ends_too_early_is_told(coding: str) -> None:
    whole = CODINGS[coding](json.dumps(list(range(500))).encode())
    assert read_content(whole[:-9], coding).faults.keys() == {"ENC-7"}


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_bomb_is_cut_off_at_the_limit(coding: str) -> None:
    bomb = CODINGS[coding](b"0" * (8 * BODY_LIMIT))
    tracemalloc.start()
    content = read_content(bomb, coding)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(content.text) <= BODY_LIMIT
    assert content.flood == f"the body unpacks to more than {BODY_LIMIT} bytes"
    assert peak < 8 * BODY_LIMIT


FAULTS: dict[str, tuple[bytes, str, Any]] = {
    "byte order mark": (b"\xef\xbb\xbf" + TEXT.encode(), "JSON-1", VALUE),
    "trailing text": (TEXT.encode() + b"x", "JSON-1", VALUE),
    "second document": (TEXT.encode() * 2, "JSON-1", VALUE),
    "trailing NUL": (TEXT.encode() + b"\0", "JSON-1", VALUE),
    "guard in front": (b")]}'\n" + TEXT.encode(), "JSON-1", VALUE),
    "trailing comma": (b'{"a": [1, 2,], }', "JSON-1", {"a": [1, 2]}),
    "raw control character": (b'{"a": "x\ny"}', "JSON-1", {"a": "x\ny"}),
    "single quotes": (b"{'a': 1}", "JSON-1", None),
    "comment": (b'{"a": 1 /* one */}', "JSON-1", None),
    "cut": (b'{"a": "x', "JSON-1", None),
    "NaN": (b'{"a": NaN}', "JSON-2", {"a": 0.0}),
    "Infinity": (b'{"a": [Infinity]}', "JSON-2", {"a": [0.0]}),
    "minus Infinity": (b'{"a": -Infinity}', "JSON-2", {"a": 0.0}),
    "1500 levels": (b"[" * 1500 + b"]" * 1500, "JSON-3", None),
    "100,000 levels": (b"[" * 100_000 + b"]" * 100_000, "JSON-3", None),
    "4301 digits": (b'{"a": -' + b"9" * 4301 + b"}", "JSON-3", {"a": float("inf")}),
    "key twice": (b'{"a": 1, "b": {"a": 2}, "a": 3}', "JSON-4", {"a": 3, "b": {"a": 2}}),
    "Latin-1": (b'{"a": "\xe9"}', "ENC-1", {"a": "\ufffd"}),
    "half a character": ('{"a": "你'.encode()[:-1] + b'"}', "ENC-1", {"a": "\ufffd"}),
    "CESU-8": (b'{"a": "\xed\xa0\xbd\xed\xb8\x80"}', "ENC-1", {"a": "\ufffd" * 6}),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_told_under_its_row_alone(name: str) -> None:
    body, row, value = FAULTS[name]
    content = read_content(body, None)
    assert content.faults.keys() == {row}
    assert content.value == value
    assert len(content.faults[row]) < 200


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b" \r\n{}\t\n", {}),
        (b"null", None),
        (b'"text"', "text"),
        (b"[1e400, -0, 1E5]", [float("inf"), 0, 1e5]),
        (b'{"a": {"a": 1}}', {"a": {"a": 1}}),
        (b'{"a": "\\u0000\\u2028\\ud83d\\ude00"}', {"a": "\0\u2028😀"}),
        (b'{"__proto__": 1}', {"__proto__": 1}),
        (b'["' + b"[" * 2000 + b'"]', ["[" * 2000]),
        (b"-" + b"9" * 4300, -int("9" * 4300)),
    ],
)
def test_what_every_client_reads_is_no_fault(body: bytes, value: Any) -> None:
    content = read_content(body, None)
    assert (content.value, content.parsed, content.faults) == (value, True, {})


@pytest.mark.parametrize(
    ("body", "empty", "like"),
    [(b"", True, False), (b"{", False, True), (b"<html>", False, False), (b" [", False, True)],
)
def test_what_kind_of_body_it_is(body: bytes, empty: bool, like: bool) -> None:
    content = read_content(body, None)
    assert (content.empty, content.is_json_like) == (empty, like)


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(st.binary(max_size=80), st.text(max_size=40).map(str.encode)),
    st.sampled_from([None, "gzip", "deflate", "br", "zstd", "identity", "", "x"]),
)
def test_no_body_makes_the_reading_raise(body: bytes, coding: str | None) -> None:
    content = read_content(body, coding)
    assert content.parsed or content.faults or content.empty


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
)


@settings(max_examples=100, deadline=None)
@given(JSON_VALUES, st.booleans(), st.sampled_from([None, 2]))
def test_every_json_value_is_read_as_python_reads_it(value: Any, escaped: bool, indent: int | None) -> None:
    body = json.dumps(value, ensure_ascii=escaped, indent=indent).encode("utf-8", "surrogatepass")
    content = read_content(body, None)
    assert content == Content(text=body.decode(), value=value, parsed=True, faults={}, empty=False)


@settings(max_examples=100, deadline=None)
@given(JSON_VALUES)
def test_nesting_is_counted_as_deep_as_it_is(value: Any) -> None:
    def depth(node: Any) -> int:
        inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else None
        return 0 if inner is None else 1 + max(map(depth, inner), default=0)

    assert nesting(json.dumps(value)) == depth(value)


def test_a_deep_body_is_read_deep_inside_other_calls() -> None:
    """Checks run within some hundred frames of pytest and Hypothesis; the parser counts them too."""
    body = b"[" * 890 + b"]" * 890

    def inside(frames: int) -> Content:
        return inside(frames - 1) if frames else read_content(body, None)

    found: list[Content] = []
    thread = threading.Thread(target=lambda: found.append(inside(400)))
    thread.start()
    thread.join()
    assert len(found) == 1


def test_a_key_that_stands_twice_among_many_is_found_at_once() -> None:
    """Time that grows with the square of the keys would be hours here."""
    body = json.dumps(dict.fromkeys(map(str, range(200_000)))).removesuffix("}") + ', "199999": 1}'
    assert read_content(body.encode(), None).faults.keys() == {"JSON-4"}


def test_a_long_string_takes_no_more_memory_than_a_few_copies_of_it() -> None:
    text = '{"a": "' + "x\\n" * 1_000_000 + '"}'
    tracemalloc.start()
    assert nesting(text) == 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * len(text)


@pytest.mark.parametrize("values", [b"{}," * VALUES_LIMIT, b"1," * (VALUES_LIMIT + 1), b"[" * (VALUES_LIMIT + 1)])
def test_more_values_than_can_be_held_are_a_flood(values: bytes) -> None:
    """Three bytes of an empty object take twenty times as many in memory."""
    content = read_content(b"[" + values + b"0]", None)
    assert (content.flood, content.parsed) == (f"the body holds more than {VALUES_LIMIT} values", False)


def test_what_stands_in_a_string_is_no_value() -> None:
    content = read_content(b'["' + b"{,[" * VALUES_LIMIT + b'"]', None)
    assert (content.flood, content.parsed) == ("", True)


def test_every_string_of_a_value_is_seen() -> None:
    value = {"a": ["b", {"c": "d"}], "e": 1, "f": None}
    assert sorted(strings(value)) == ["a", "b", "c", "d", "e", "f"]


@pytest.mark.parametrize(
    ("text", "lone"), [("😀", False), ("\ud83d", True), ("a\ude00b", True), ("", False), ("\ufffd", False)]
)
def test_half_a_pair(text: str, lone: bool) -> None:
    assert has_lone_surrogate(text) is lone
