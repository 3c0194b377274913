"""Every situation at one address, and a page that tells what was seen there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from sendpoll.conformance.client.listen import SituationServer
from sendpoll.conformance.client.situations.played import Settings
from sendpoll.conformance.client.situations.situation import load_situations

TOKEN = "t0ken-of-the-tests"


@pytest.fixture(name="listener", scope="module")
def _listener() -> Iterator[SituationServer]:
    with SituationServer(load_situations(), Settings(TOKEN, 5.0), lambda _: None) as listener:
        yield listener


def page(listener: SituationServer) -> str:
    with urllib.request.urlopen(f"{listener.url}/", timeout=30) as answer:
        return str(answer.read().decode())


def run(command: list[str], listener: SituationServer, situation: str) -> subprocess.CompletedProcess[str]:
    told = {"URL": f"{listener.url}/s/{situation}", "TOKEN": TOKEN, "WORKSPACE": "judged", "MESSAGE": "hello"}
    environment = {**os.environ, **{f"SENDPOLL_{name}": value for name, value in told.items()}}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=120)


def section(text: str, situation: str) -> str:
    found = re.search(rf'id="{situation}".*?</section>', text, re.DOTALL)
    assert found
    return found.group()


PROGRAM = """
import json, os, urllib.request as u
def ask(path, body=None):
    head = {"Authorization": "Bearer " + os.environ["SENDPOLL_TOKEN"], "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    return json.load(u.urlopen(u.Request(os.environ["SENDPOLL_URL"] + "/api/v1" + path, data, head), timeout=30))
ask("/workspaces", {"workspace_id": "judged"})
conversation = ask("/workspaces/judged/conversations", {})["conversation_id"]
task = ask("/workspaces/judged/messages", {"conversation_id": conversation, "message": "hello"})["task_id"]
offset, status = 0, "running"
while status == "running":
    data = ask(f"/tasks/{task}?from={offset}")["data"]
    offset, status = data["next_offset"], data["status"]
    print(*(event["data"]["content"] for event in data["events"]), sep="", end="")
"""


def test_a_situation_is_a_server_under_its_name(listener: SituationServer) -> None:
    for _ in range(2):  # it begins anew with each run
        ran = run([sys.executable, "-c", PROGRAM], listener, "growing")
        assert ran.stdout == "alpha-7,beta-8,gamma-9,delta-10,epsilon-11.", ran.stderr
    assert "8 requests" in section(page(listener), "growing")


def test_the_page_says_what_is_wrong_and_what_did_not_happen_yet(listener: SituationServer) -> None:
    program = PROGRAM.replace("from={offset}", "from={offset + 1}")
    run([sys.executable, "-c", program], listener, "plain")
    assert "C-7: It asked from=1 where from=0 was next" in section(page(listener), "plain")
    assert "it did not come to what" not in section(page(listener), "poll-gone")


def test_what_there_is_not_is_answered_404(listener: SituationServer) -> None:
    for path in ("/s/no-such-situation/api/v1/workspaces", "/elsewhere"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{listener.url}{path}", timeout=30)
