"""A value against its schema: the place and the mend, and no value where it may be a secret."""

from __future__ import annotations

from typing import Any

import pytest

from sendpoll.core.files.errors import FileError
from sendpoll.core.files.parsed import Parsed
from sendpoll.core.files.schema import require
from sendpoll.schemas.contract import names
from tests.conformance.reporting.sample import sample_report


def refusal(value: Any, schema: str, *, secret: bool = False) -> str:
    with pytest.raises(FileError) as raised:
        require(Parsed(value), schema, "f", secret=secret)
    return str(raised.value)


@pytest.mark.parametrize("schema", names("files"))
def test_every_schema_refuses_what_is_no_mapping(schema: str) -> None:
    assert refusal([], schema).endswith("is a list; expected a mapping")


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ({"url": "ftp://h"}, "url: "),
        ({"url": "http://h", "tokn": "x"}, "'tokn' is not known here; is it 'token'?"),
        ({}, "'url' is missing; add it"),
        ({"url": "http://h", "tls": {"key": "k"}}, "tls: "),
        ({"url": "http://h", "tokens": []}, "tokens: "),
        ({"url": "http://h", "headers": {"a b": "c"}}, "headers: "),
        ({"url": "http://h", "headers": {"a": "b\r\nc"}}, "headers/a: "),
    ],
)
def test_a_fault_is_told_with_its_place_and_without_its_value(target: Any, told: str) -> None:
    sentence = refusal(target, "files/target.json", secret=True)
    assert told in sentence
    assert "ftp" not in sentence
    assert "\n" not in sentence


def test_a_fault_behind_references_to_other_files_is_explained() -> None:
    broken = {"scenario": {"name": "x", "messages": [{"text": "hi"}], "shape": {"kind": "steady", "users": 0}}}
    assert "'" in refusal(broken, "files/load-result.json")


def test_halves_of_surrogate_pairs_neither_pass_nor_crash() -> None:
    require(Parsed(sample_report()), "files/report.json", "f")
    report = sample_report()
    report["target"]["url"] = "http://h/\ud83d"
    assert "target/url" in refusal(report, "files/report.json")
    report = sample_report()
    report["requirements"][0]["breaks"]["\ud83d"] = 7
    assert "requirements/0/breaks" in refusal(report, "files/report.json")


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("method", "GET / HTTP/1.1\r\nX: y"),
        ("method", "get"),
        ("target", "@127.0.0.1:1/"),
        ("target", "//evil.example/"),
        ("target", "http://evil.example/"),
        ("target", "/a b"),
        ("target", "/a\r\nX: y"),
        ("headers", [["X\r\nY", "z"]]),
        ("headers", [["X", "y\r\nZ: z"]]),
        ("headers", [["X", "\u4f60"]]),
        ("headers", [["X", "\0"]]),
    ],
)
def test_a_request_in_a_report_of_a_server_can_be_no_other_request(part: str, value: Any) -> None:
    report = sample_report()
    failed = next(row for row in report["requirements"] if row["id"] == "POLL-3")
    failed["violations"][0]["exchanges"][0]["request"][part] = value
    assert f"violations/0/exchanges/0/request/{part}" in refusal(report, "files/report.json")
