"""Targets: what is understood, what is refused and in which words, and which of it is secret."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from sendpoll.core.target.target import Target, Timeouts
from sendpoll.core.target.target_file import load_target
from sendpoll.core.target.url import TargetError

SECRET = "s3cret-of-the-environment"


def written(folder: Path, text: str) -> Path:
    path = folder / "target.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def loaded(folder: Path, text: str, **environ: str) -> Target:
    return load_target(written(folder, text), environ)


def refusal(folder: Path, text: str, **environ: str) -> str:
    with pytest.raises(TargetError) as raised:
        loaded(folder, text, **environ)
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize(
    ("url", "host", "port", "prefix"),
    [
        ("http://localhost:8091", "localhost", 8091, ""),
        ("http://localhost:8091/", "localhost", 8091, ""),
        ("http://example.org", "example.org", 80, ""),
        ("https://example.org", "example.org", 443, ""),
        ("https://example.org:8443/agents/v2/", "example.org", 8443, "/agents/v2"),
        ("http://[::1]:8091", "::1", 8091, ""),
        ("https://[2001:db8::1]/x", "2001:db8::1", 443, "/x"),
        ("http://192.0.2.7:1", "192.0.2.7", 1, ""),
        ("HTTP://EXAMPLE.org", "example.org", 80, ""),
    ],
)
def test_a_base_url_is_taken_apart(url: str, host: str, port: int, prefix: str) -> None:
    target = Target(base_url=url)
    assert (target.host, target.port, target.path_prefix) == (host, port, prefix)
    assert not target.base_url.endswith("/")


@pytest.mark.parametrize(
    "url",
    [
        "", "localhost:8091", "ftp://h", "http://", "http:///x", "http://h:port", "http://h:70000", "http://h:0",
        "http://[::1", "http://h?x=1", "http://h#x",
        "http://user@h", "http://h/a b", "http://h/路", "http://例え.jp", "http://h\n/x", "//h",
    ],
)  # fmt: skip
def test_what_is_no_base_url_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(TargetError) as raised:
        Target(base_url=url)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "url", [f"http://u:{SECRET}@h", f"ftp://u:{SECRET}@h", f"http://:{SECRET}@h:x", f"http://h?key={SECRET}"]
)
def test_a_refused_url_keeps_its_secrets(url: str) -> None:
    with pytest.raises(TargetError) as raised:
        Target(base_url=url)
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://localhost:1", True),
        ("http://api.localhost", True),
        ("http://127.0.0.1", True),
        ("http://127.9.9.9", True),
        ("http://[::1]", True),
        ("http://192.168.1.1", False),
        ("http://localhost.example.org", False),
    ],
)
def test_whether_it_is_on_this_machine(url: str, local: bool) -> None:
    assert Target(base_url=url).is_local is local


@pytest.mark.parametrize("token", ["with space", "line\nend", "tab\t", "é", "", "\x7f"])
@pytest.mark.parametrize("field", ["token", "second_token"])
def test_a_token_that_no_header_carries_is_refused_and_not_shown(field: str, token: str) -> None:
    changes: dict[str, Any] = {field: f"{SECRET}{token}" if token else ""}
    with pytest.raises(TargetError) as raised:
        Target(**changes)
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X Y", "1"),
        ("", "1"),
        ("X:", "1"),
        ("X-A", "a\r\nb"),
        ("X-A", "你好"),
        ("X-A", "\0"),
        ("Authorization", "Bearer x"),
        ("HOST", "h"),
    ],
)
def test_a_header_that_cannot_be_sent_is_refused(name: str, value: str) -> None:
    with pytest.raises(TargetError):
        Target(headers=((name, value),))


@pytest.mark.parametrize("seconds", [0.0, -1.0, math.nan, math.inf])
@pytest.mark.parametrize("name", ["connect", "exchange", "task", "run"])
def test_a_timeout_that_is_no_span_of_time_is_refused(name: str, seconds: float) -> None:
    with pytest.raises(TargetError, match=name):
        Timeouts(**{name: seconds})


def test_tokens_and_headers_that_carry_any_are_secret() -> None:
    target = Target(
        token="first-token",
        second_token="second-token",
        headers=(("X-Api-Key", "key-value"), ("Cookie", "session=cookie-value; theme=x"), ("X-Trace", "harmless")),
        public_headers=("x-trace",),
    )
    assert {"first-token", "second-token", "key-value", "session=cookie-value; theme=x", "cookie-value"} <= set(
        target.secrets
    )
    assert "harmless" not in target.secrets


def test_the_published_placeholder_is_no_secret() -> None:
    assert Target().token == "<TOKEN>"
    assert Target().secrets == {}


def test_a_whole_target_file(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    target = loaded(
        tmp_path,
        """
        url: https://${HOST}/base
        token: ${TOKEN}
        second_token: ${TOKEN}-2
        headers: {X-Team: "${HOST}"}
        tls: {ca_file: ca.pem, verify: false}
        workspace: mine
        prompts: {long: "Tell ${HOST}"}
        timeouts: {connect: 1, exchange: 2.5, task: 3, run: 4}
        max_messages: 3
        not_applicable: {OWN-1: one tenant}
        """,
        HOST="example.org",
        TOKEN=SECRET,
    )
    assert target == Target(
        base_url="https://example.org/base",
        token=SECRET,
        second_token=f"{SECRET}-2",
        headers=(("X-Team", "example.org"),),
        ca_file=tmp_path / "ca.pem",
        verify_tls=False,
        workspace="mine",
        prompts={"long": "Tell example.org"},
        timeouts=Timeouts(connect=1, exchange=2.5, task=3, run=4),
        max_messages=3,
        not_applicable={"OWN-1": "one tenant"},
    )


def test_a_target_file_of_one_line(tmp_path: Path) -> None:
    assert loaded(tmp_path, "url: http://h") == Target(base_url="http://h")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the file"),
        ("[]", "the file"),
        ("url: [", "is no YAML"),
        ("token: x", "'url'"),
        ("url: 7", "url (line 1): is a number to YAML where a text belongs; quote it"),
        ("url: ftp://h", "url (line 1): what stands here does not fit; expected a base URL"),
        ("url: http://h\ntokn: x", "'tokn'"),
        ("url: http://h\ntoken: 7", "token (line 2): is a number to YAML where a text belongs; quote it"),
        (
            "url: http://h\nmax_messages: 0",
            "max_messages (line 2): what stands here does not fit; expected a whole number, 1 or more",
        ),
        ("url: http://h\ntimeouts: {run: 0}", "timeouts/run (line 2): what stands here does not fit; expected seconds"),
        ("url: http://h\ntimeouts: {run: .nan}", "run"),
        ("url: http://h\ntimeouts: {run: .inf}", "run"),
        ("url: http://h\nprompts: {poem: x}", "'poem'"),
        ("url: http://h\nnot_applicable: {OWN-1: ''}", "not_applicable/OWN-1"),
        ("url: http://h\nnot_applicable: {OWN-99: x}", "OWN-99"),
        ("url: http://h\ntls: {ca_file: absent.pem}", "absent.pem"),
        ("url: http://h\ntoken: ${ABSENT}", "environment variable ABSENT is not set"),
        ("url: http://h\nheaders: {Authorization: x}", "Authorization"),
    ],
)
def test_each_fault_of_a_file_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    assert told in refusal(tmp_path, text)


def test_a_fault_does_not_show_what_came_from_the_environment(tmp_path: Path) -> None:
    text = "url: http://h\ntoken: '${TOKEN} x'\nworkspace: {a: '${TOKEN}'}\nmax_messages: ${TOKEN}"
    assert SECRET not in refusal(tmp_path, text, TOKEN=SECRET)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="No such file"):
        load_target(tmp_path / "absent.yaml", {})
    (tmp_path / "latin.yaml").write_bytes(b"url: http://h/\xe9")
    with pytest.raises(TargetError, match="no UTF-8"):
        load_target(tmp_path / "latin.yaml", {})
