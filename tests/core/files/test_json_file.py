"""JSON as files hold it, and nothing that would hold this process up."""

from __future__ import annotations

import json

import pytest

from sendpoll.core.files.errors import FileError
from sendpoll.core.files.json_file import parse_json


def refusal(text: str) -> str:
    with pytest.raises(FileError) as raised:
        parse_json(text, "f.json")
    assert str(raised.value).startswith("f.json")
    return str(raised.value)


def test_json_is_read() -> None:
    value = {"a": [1, -2, 0.5, 1e3, True, None, "\ud83d", {}], "b": 2**62}
    assert parse_json(json.dumps(value), "f.json").value == value


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1, column 1"),
        ("{", "line 1, column 2"),
        ('{"a": 1} x', "Extra data"),
        ("NaN", "holds NaN"),
        ("-Infinity", "holds -Infinity"),
        ("1e999", "larger than any"),
        ("9" * 19, "larger than any"),
        ("9" * 10_000, "larger than any"),
        ('{"url": 1, "url": 2}', "'url' stands twice"),
        ('{"a": {"b": 1, "c": 2, "b": 3}}', "'b' stands twice"),
        ("[" * 100_000, "nested"),
        ("[" * 100 + "]" * 100, "nested more than 64"),
        ('{"a":' * 900 + "1" + "}" * 900, "nested more than 64"),
        ("[" + "[]," * 100_000 + "[]]", "holds more values"),
    ],
)
def test_each_fault_is_told(text: str, told: str) -> None:
    assert told in refusal(text)
