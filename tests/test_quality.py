"""The whole tree is clean for the linter, the formatter and the type checker, and says why where it is excused."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    "command", [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]], ids=["lint", "format", "types"]
)
def test_clean(command: list[str]) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False, timeout=900
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


EXCUSE = re.compile(r"# (noqa|type: ignore)")
WITH_REASON = re.compile(r"# (noqa: [A-Z0-9, ]+|type: ignore\[[^]]+\]) +[-#] \S")


def bare_excuses(source: str) -> list[tuple[int, str]]:
    """The comments that keep a rule off and do not say why, with their lines."""
    comments = (one for one in tokenize.generate_tokens(io.StringIO(source).readline) if one.type == tokenize.COMMENT)
    return [
        (one.start[0], one.string) for one in comments if EXCUSE.match(one.string) and not WITH_REASON.match(one.string)
    ]


def test_each_exception_to_a_rule_has_its_reason() -> None:
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    sources = {name: (ROOT / name).read_text(encoding="utf-8") for name in listed.split()}
    bare = {name: found for name, source in sources.items() if (found := bare_excuses(source))}
    assert bare == {}


@pytest.mark.parametrize(
    ("comment", "bare"),
    [
        ("# noqa: S101", True),
        ("# noqa: S101, E501 -", True),
        ("# type: ignore[arg-type]", True),
        ("# type: ignore", True),
        ("# noqa: S101 - it is a pipe", False),
        ("# type: ignore[arg-type, misc]  # any will do", False),
    ],
)
def test_an_exception_without_a_reason_is_seen(comment: str, bare: bool) -> None:
    assert bool(bare_excuses(f"x = 1  {comment}\n")) is bare
