"""No artefact of a run holds a token, in whatever spelling a server gives it back."""

from __future__ import annotations

import base64
import html
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import pytest

from sendpoll.core.text.secrets import MASK
from tests.conformance.canary import SECOND, TOKEN, Canary, canary

HANG_GUARD = 240
PIECE = 12
"""Characters of a token in a row that nobody may see."""


@dataclass(frozen=True)
class Ran:
    """What a run left."""

    server: Canary
    exit_code: int
    artefacts: dict[str, str]
    """Standard output and error, and each file of the report, by name."""


@pytest.fixture(name="ran", scope="module")
def _ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    folder = tmp_path_factory.mktemp("canary")
    with canary() as server:
        command = [sys.executable, "-m", "sendpoll.cli.main", "check", server.url, "--token", TOKEN]
        options = ["--second-token", SECOND, "--report-dir", "report", "--examples", "4", "--seed", "1"]
        ran = subprocess.run(
            [*command, *options, "--task-timeout", "2", "--write-baseline", "baseline.yaml"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=HANG_GUARD,
            check=False,
        )
        files = {path.name: path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file()}
        yield Ran(server, ran.returncode, {"stdout": ran.stdout, "stderr": ran.stderr, **files})


def readings(text: str) -> Iterator[str]:
    """A text as it is, and as somebody reads it who undoes what escapes it."""
    yield text
    yield unquote(text)
    yield html.unescape(text)
    yield text.replace("\\\\", "\\").replace('\\"', '"').replace("\\/", "/")
    yield text.replace("\n", "").replace(" ", "")


def pieces(token: str) -> Iterator[str]:
    """What nobody may see of a token: pieces of it, as they are, in hexadecimal and in base64."""
    raw = token.encode()
    forms = [token, raw.hex(), *(base64.b64encode(b"\0" * shift + raw).decode()[3:-4] for shift in range(3))]
    for form in [*forms, *(form.replace("+", "-").replace("/", "_") for form in forms)]:
        for start in range(len(form) - PIECE + 1):
            yield form[start : start + PIECE]


def test_the_server_was_shown_both_tokens_and_gave_them_back(ran: Ran) -> None:
    """Else what follows would prove nothing."""
    assert {f"Bearer {TOKEN}", f"Bearer {SECOND}"} <= ran.server.seen
    assert ran.exit_code == 1, ran.artefacts["stdout"] + ran.artefacts["stderr"]
    expected = {"report.json", "report.html", "junit.xml", "summary.md", "badge.json", "baseline.yaml"}
    assert ran.artefacts.keys() >= expected
    assert ran.artefacts["report.json"].count(MASK) > 100


@pytest.mark.parametrize("token", [TOKEN, SECOND], ids=["token", "second"])
def test_no_artefact_holds_a_piece_of_a_token(ran: Ran, token: str) -> None:
    for name, text in ran.artefacts.items():
        for reading in readings(text):
            found = [piece for piece in pieces(token) if piece in reading]
            assert not found, (name, found[0], reading[max(0, reading.find(found[0]) - 80) :][:200])


def test_texts_inside_the_report_hold_none_either(ran: Ran) -> None:
    """Escapes of JSON undone."""
    text = json.dumps(json.loads(ran.artefacts["report.json"]), ensure_ascii=False)
    assert not [piece for token in (TOKEN, SECOND) for piece in pieces(token) if piece in text]


def test_a_curl_line_names_the_variable(ran: Ran) -> None:
    assert "$SENDPOLL_TOKEN" in ran.artefacts["report.json"]


def test_a_redirect_never_carries_the_token_to_another_origin(ran: Ran) -> None:
    assert ran.server.stolen == []


def test_what_is_written_is_still_readable(ran: Ran) -> None:
    """Nothing but tokens is masked: the report follows its schema, and its own words are whole."""
    report = json.loads(ran.artefacts["report.json"])
    methods = {
        exchange["request"]["method"]
        for row in report["requirements"]
        for violation in row["violations"]
        for exchange in violation["exchanges"]
    }
    assert methods <= {"GET", "POST", "PUT", "OPTIONS"}


def test_a_token_of_one_letter_leaves_the_report_readable(tmp_path: Path) -> None:
    with canary() as server:
        command = [sys.executable, "-m", "sendpoll.cli.main", "check", server.url, "--token", "T", "--only", "CONV-1"]
        ran = subprocess.run(
            [*command, "--report-dir", "report", "--task-timeout", "2", "--max-messages", "1"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=HANG_GUARD,
            check=False,
        )
    report = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert report["target"]["url"] == server.url
    assert "Bearer T" not in ran.stdout + (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
