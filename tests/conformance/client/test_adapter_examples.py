"""The adapters that the documentation shows, each run as it stands there."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from sendpoll.conformance.client.running.adapter import Adapter
from sendpoll.conformance.client.running.program import End, Job, Ran, Told
from tests.clients.fetch_dart import dart_path
from tests.clients.runners import clients_are_required, unavailable

README = Path(__file__).parents[3] / "conformance" / "client" / "README.md"
_LIBRARIES = {
    "js": """
async function* converse(job) {
  if (job.message === "broken") throw new Error("refused: 422");
  yield "one ";
  yield job.message;
}
""",
    "dart": """
Stream<String> converse(Map<String, dynamic> job) async* {
  if (job['message'] == 'broken') throw Exception('refused: 422');
  yield 'one ';
  yield job['message'] as String;
}
""",
}
"""What a reader of the page has already: a library that yields the texts of an answer."""
_IMPORTS = {"js": "", "dart": "import 'dart:convert';\nimport 'dart:io';\n"}


def _program(language: str, folder: Path) -> Sequence[str]:
    shown = re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len(shown) == 1
    path = folder / ("adapter.mjs" if language == "js" else "adapter.dart")
    path.write_text(_IMPORTS[language] + shown[0] + _LIBRARIES[language], encoding="utf-8")
    return ["node" if language == "js" else str(dart_path()), str(path)]


def _run(program: Adapter, message: str) -> Ran:
    told = Told("http://127.0.0.1:9", "t0ken", "judged", message, None)
    return program.run(Job(told, 60.0, threading.Event(), lambda: 0.0))


@pytest.mark.parametrize(("language", "client"), [("js", "node"), ("dart", "dart")])
def test_an_adapter_as_the_page_shows_it(language: str, client: str, tmp_path: Path) -> None:
    if why := unavailable(client):
        (pytest.fail if clients_are_required() else pytest.skip)(f"{client} cannot run here: {why}")
    program = Adapter(_program(language, tmp_path))
    right, broken, again = _run(program, "二 🎉"), _run(program, "broken"), _run(program, "three")
    program.close()
    assert [ran.shown for ran in (right, again)] == ["one 二 🎉", "one three"]
    assert (right.exit_code, right.end, broken.exit_code) == (0, End.ITSELF, 1)
    assert "refused: 422" in broken.words


def test_the_adapter_in_the_examples_runs_the_client_beside_it() -> None:
    """Nobody listens there, so that it fails, in words, and goes on to the next run."""
    program = Adapter([sys.executable, str(README.parents[2] / "examples" / "adapters" / "adapter.py")])
    first, second = _run(program, "one"), _run(program, "two")
    program.close()
    assert (first.exit_code, second.exit_code) == (1, 1)
    assert "error" in first.words
