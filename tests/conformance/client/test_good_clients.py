"""Clients to copy, and clients of styles that nobody thought of: no MUST fails on what is right."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest

from sendpoll.conformance.client.client_run import judge_client
from sendpoll.conformance.client.running.browser import Browser
from sendpoll.conformance.client.running.chromium import executable
from sendpoll.conformance.client.running.command import Command
from sendpoll.conformance.client.running.program import Program
from sendpoll.conformance.results.judgement import Judgement

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"
STYLES = Path(__file__).with_name("styles")
PATIENCE = 20.0
MOST_LINES = 120


def failed(program: Program, level: str = "must") -> list[str]:
    judgement = Judgement("must" if level == "must" else "should")
    try:
        report = judge_client(program, judgement, PATIENCE, lambda _: None)
    finally:
        program.close()
    return [
        f"{row['id']}: {row['violations'][0]['sentence']}" for row in report["requirements"] if row["verdict"] == "fail"
    ]


@pytest.mark.parametrize("command", [[sys.executable, "client.py"], ["node", "client.mjs"]], ids=["python", "node"])
def test_an_example_keeps_every_row(command: list[str]) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    assert failed(Command([command[0], str(EXAMPLES / command[1])]), "should") == []


@pytest.mark.parametrize(
    "page", [EXAMPLES / "client.html", ROOT / "reference_server" / "page" / "console.html"], ids=str
)
def test_a_page_keeps_every_must(page: Path) -> None:
    if importlib.util.find_spec("playwright") is None or executable() is None:
        pytest.skip("no Playwright, or no Chromium")
    assert failed(Browser(str(page))) == []


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("client.*")), ids=lambda path: path.name)
def test_an_example_can_be_read_at_a_sitting(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) < MOST_LINES


@pytest.mark.parametrize("style", sorted(STYLES.glob("*.py")), ids=lambda path: path.stem)
def test_a_right_client_of_another_style_keeps_every_must(style: Path) -> None:
    assert failed(Command([sys.executable, str(style)])) == []
