"""Bad clients on a right server, and right clients on bad servers: the recording says whose fault it was."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from sendpoll.conformance.recordings.traffic_report import OF_TRAFFIC
from sendpoll.conformance.results.judgement import Judgement
from sendpoll.conformance.results.report_json import Report
from sendpoll.conformance.server.plugin import RunOptions
from sendpoll.conformance.server.suite_run import check
from sendpoll.core.target.target import Target
from sendpoll.schemas.catalogue import load_catalogue
from tests.bad_clients.catalogue import BY_NAME as BAD_CLIENTS
from tests.conformance.recordings.recorder import recording
from tests.conformance.recordings.recording_proxy import recording_proxy
from tests.conformance.recordings.talk import failed, judged
from tests.mutants.catalogue import BY_NAME as MUTANTS
from tests.mutants.serve import TOKEN, right_server, running

GOES_ON = """
import os, urllib.request
for path in ("null", "undefined"):
    request = urllib.request.Request(f"{os.environ['SENDPOLL_URL']}/api/v1/tasks/{path}?from=0")
    request.add_header("Authorization", f"Bearer {os.environ['SENDPOLL_TOKEN']}")
    try:
        urllib.request.urlopen(request)
    except OSError:
        pass
"""
"""A client that asks for tasks whose ids nobody gave it."""
EXAMPLE = Path(__file__).parents[3] / "examples" / "client.py"
_CLIENTS = {
    "starts-at-one": "C-7",
    "one-further": "C-7",
    "always-from-the-start": "C-7",
    "hammers": "C-13",
    "never-ensures": "C-19",
    "ensures-too-late": "C-19",
    "goes-on-without-ids": "C-31",
    "token-in-the-url": "C-34",
    "no-media-type": "C-38",
    "pasted-json": "C-38",
}
_SERVERS = (
    "offset-stuck",
    "next-offset-float",
    "final-without-next-offset",
    "conversation-id-renamed",
    "task-id-nested",
    "text-cumulative",
    "poll-max-age",
    "workspace-without-body",
    "trailing-comma",
    "polls-as-plain-text",
    "task-id-number",
    "content-null-at-the-end",
    "not-a-number",
)


@contextmanager
def variables(url: str, message: str) -> Iterator[dict[str, str]]:
    told = {"URL": url, "TOKEN": TOKEN, "WORKSPACE": "ws-recorded", "MESSAGE": message}
    yield {**os.environ, **{f"SENDPOLL_{name}": value for name, value in told.items()}}


def report_of(command: list[str], server: str, seconds: float, message: str = 'say "hello" twice') -> Report:
    """What a recording says of a program that speaks to a server for some seconds at most."""
    serving = right_server() if server == "right" else running(MUTANTS[server])
    with serving as (url, _, _), recording_proxy(url) as (proxy, found), variables(proxy, message) as environment:
        with suppress(subprocess.TimeoutExpired):
            subprocess.run(command, env=environment, capture_output=True, timeout=seconds, check=False)
        return judged(sorted(found, key=lambda one: one.timing.finished))


@pytest.mark.parametrize("name", _CLIENTS)
def test_a_bad_client_is_at_fault(name: str) -> None:
    command = BAD_CLIENTS[name].command if name in BAD_CLIENTS else [sys.executable, "-c", GOES_ON]
    report = report_of(command, "right", 8)
    assert _CLIENTS[name] in failed(report)
    assert report["fault"]["whose"] == "client"


@pytest.mark.parametrize("name", _SERVERS)
def test_a_bad_server_is_at_fault(name: str) -> None:
    report = report_of([sys.executable, str(EXAMPLE)], name, 15, "count to a hundred")
    assert MUTANTS[name].requirement in failed(report)
    assert report["fault"]["whose"] == "server"


@pytest.mark.parametrize("command", [[sys.executable, str(EXAMPLE)], ["node", str(EXAMPLE.with_suffix(".mjs"))]])
def test_a_right_client_on_a_right_server_is_nobodys_fault(command: list[str]) -> None:
    report = report_of(command, "right", 20)
    assert report["fault"]["whose"] == "none"
    assert failed(report) == set()


@pytest.mark.parametrize("name", ["offset-stuck", "trailing-comma"])
def test_what_check_says_of_traffic_is_said_of_its_recording(name: str) -> None:
    """The rows of single answers and of the oracle; what `check` asks on purpose as a client is at fault for."""
    with running(MUTANTS[name]) as (url, token, second), recording() as found:
        target = Target(base_url=url, token=token, second_token=second)
        report = check(target, RunOptions(1, 10, frozenset(), ("sendpoll", "check")), Judgement())
    servers = {row.id for row in load_catalogue().rows}
    assert failed(judged(found)) & servers == failed(report) & OF_TRAFFIC
