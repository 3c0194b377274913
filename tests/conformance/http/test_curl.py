from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from sendpoll.conformance.http.curl import curl_line, fold
from sendpoll.core.text.secrets import MASK
from tests.conformance.recording_server import RecordingServer, recording

TOKEN = "tok-4711"
AUTHORIZED = ("Authorization", f"Bearer {MASK}")


def run(line: str, shell: str = "bash") -> str:
    environment = {"PATH": os.environ["PATH"], "SENDPOLL_TOKEN": TOKEN}
    done = subprocess.run([shell, "-c", line], env=environment, capture_output=True, timeout=60, check=True)
    return done.stdout.decode()


def sent(line: str, listener: RecordingServer, shell: str = "bash") -> tuple[str, dict[str, str], bytes]:
    """What arrives when the line is run: request line, headers under their names as written, body."""
    run(line, shell)
    head, _, body = listener.requests[-1].partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in rest)
    return first, {name: value.strip(" ") for name, _, value in pairs}, body


def _host(listener: RecordingServer) -> tuple[str, str]:
    return ("Host", listener.url.removeprefix("http://"))


def test_a_poll_is_one_readable_line() -> None:
    headers = [("Host", "localhost:8091"), ("User-Agent", "curl/7.88.1"), ("Accept", "*/*"), AUTHORIZED]
    line = curl_line("GET", "http://localhost:8091/api/v1/tasks/t1?from=3", headers, None)
    assert line == (
        "curl -sSi -H \"Authorization: Bearer $SENDPOLL_TOKEN\" 'http://localhost:8091/api/v1/tasks/t1?from=3'"
    )


def test_the_server_sees_the_same_request_again() -> None:
    body = '{"content": "你好 it\'s $HOME `id` \\"x\\""}'.encode()
    with recording() as listener:
        headers = [
            _host(listener),
            ("user-agent", "node"),
            ("accept", "*/*"),
            AUTHORIZED,
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
        ]
        line = curl_line("POST", f"{listener.url}/api/v1/workspaces/w/messages", headers, body)
        first, received, again = sent(line, listener)
    assert first == "POST /api/v1/workspaces/w/messages HTTP/1.1"
    assert received == dict([*headers[:3], ("Authorization", f"Bearer {TOKEN}"), *headers[4:]])
    assert again == body


def test_curl_adds_nothing_of_its_own() -> None:
    with recording() as listener:
        line = curl_line("POST", f"{listener.url}/x", [_host(listener)], b"{}")
        _, received, _ = sent(line, listener)
    assert received == {**dict([_host(listener)]), "Content-Length": "2"}


def test_a_post_without_a_body_has_no_length_unless_it_had_one() -> None:
    with recording() as listener:
        _, bare, _ = sent(curl_line("POST", f"{listener.url}/x", [_host(listener)], None), listener)
        told = curl_line("POST", f"{listener.url}/x", [_host(listener), ("content-length", "0")], None)
        _, explicit, _ = sent(told, listener)
    assert "Content-Length" not in bare
    assert explicit["content-length"] == "0"


@pytest.mark.parametrize(
    "target",
    [
        "/a%20b?from=%D9%A5",
        "/a b?from= 5",
        "/../x/./y",
        "/t[1-3]{a,b}?x=\"'",
        "/\xe9?from=\x01",
        "/x?a=$HOME&b=`id`;#",
    ],
)
def test_any_target_arrives_as_it_was_sent(target: str) -> None:
    with recording() as listener:
        first, _, _ = sent(curl_line("GET", f"{listener.url}{target}", [_host(listener)], None), listener)
    assert first == f"GET {target} HTTP/1.1"


@pytest.mark.parametrize("value", ["", "caf\xe9", "a'b\"c$d", "tab\there"])
def test_any_header_value_arrives_as_it_was_sent(value: str) -> None:
    with recording() as listener:
        _, received, _ = sent(curl_line("GET", listener.url + "/", [_host(listener), ("X-Odd", value)], None), listener)
    assert received["X-Odd"] == value


@pytest.mark.parametrize("shell", ["bash", "dash"])
@pytest.mark.parametrize(
    "body",
    [b"", b"\x00\x01\xff%s%%\\'\"\n", b"@/etc/passwd", '{"a":"\U0001f600"}'.encode(), b"x" * 20_000 + b"'", b"a\x0012"],
)
def test_any_body_arrives_byte_for_byte(body: bytes, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    with recording() as listener:
        _, _, received = sent(curl_line("POST", f"{listener.url}/", [_host(listener)], body), listener, shell)
    assert received == body


def test_a_body_of_two_megabytes_makes_a_short_line() -> None:
    body = b'{"content":"' + b"a" * 2_000_000 + b'"}'
    with recording() as listener:
        line = curl_line("POST", f"{listener.url}/", [_host(listener), AUTHORIZED], body)
        _, received, again = sent(line, listener)
    assert len(line) < 400
    assert again == body
    assert "Expect" not in received


def test_a_token_in_url_and_body_becomes_the_variable() -> None:
    with recording() as listener:
        body = f'{{"t":"{TOKEN}","n":"\x00{TOKEN}%"}}'.encode()
        line = curl_line("POST", f"{listener.url}/{TOKEN}s?{TOKEN}", [_host(listener)], body, TOKEN)
        first, _, received = sent(line, listener)
    assert TOKEN not in line
    assert "$SENDPOLL_TOKEN" in line
    assert (first, received) == (f"POST /{TOKEN}s?{TOKEN} HTTP/1.1", body)


def test_a_second_token_has_a_variable_of_its_own() -> None:
    line = curl_line("GET", "http://h/", [("Authorization", "Bearer other")], None, "mine", "other")
    assert '-H "Authorization: Bearer $SENDPOLL_SECOND_TOKEN"' in line


def test_a_body_cannot_act_in_the_shell() -> None:
    hostile = "'; echo pwned; '$(echo pwned)`echo pwned`\"$SENDPOLL_TOKEN"
    with recording() as listener:
        line = curl_line("POST", f"{listener.url}/", [_host(listener), ("X", hostile)], hostile.encode())
        _, received, body = sent(line, listener)
    assert received["X"] == hostile
    assert body == hostile.encode()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(body=b"-\0", header="")
@given(body=st.binary(max_size=40), header=st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"])))
def test_whatever_was_sent_is_sent_again(body: bytes, header: str) -> None:
    """But for what stands where a secret was: the command puts the secret's variable there."""
    assume(not any("[" in text for text in (header, body.decode("latin-1"))))
    value = header.strip(" \xa0\x85")
    with recording() as listener:
        line = curl_line("POST", f"{listener.url}/", [_host(listener), ("X-Any", value)], body)
        _, received, again = sent(line, listener)
    assert (received["X-Any"], again) == (value, body)


def test_https_stays_with_the_version_that_was_spoken() -> None:
    assert "--http1.1" in curl_line("GET", "https://example.org/", [], None)


def test_a_folded_line_does_the_same() -> None:
    body = b'{"content":"a b  c\\u0020 d"}'
    with recording() as listener:
        headers = [_host(listener), AUTHORIZED, ("Content-Type", "application/json"), ("X-Long", "y " * 40 + "z")]
        line = curl_line("POST", f"{listener.url}/api/v1/workspaces", headers, body)
        straight = sent(line, listener)
        folded = sent("\n".join(fold(line, 60)), listener)
    assert folded == straight
    assert len(fold(line, 60)) > 3


def test_folding_keeps_an_option_beside_its_argument() -> None:
    lines = fold("curl -sSi -X POST -H 'A: 1' -H 'B: 2' --data-binary '{}' http://x/", 32)
    assert lines == ["curl -sSi -X POST -H 'A: 1' \\", "  -H 'B: 2' --data-binary '{}' \\", "  http://x/"]
