"""What the published clients survive is as the file and the README have it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sendpoll.schemas.catalogue import Subject, load_catalogue
from tests.clients.judged import JUDGED, NAMES, judged, table

README = Path(__file__).parents[2] / "README.md"
SEEN = json.loads(JUDGED.read_text(encoding="utf-8"))


@pytest.mark.parametrize("client", NAMES)
def test_the_file_is_what_is_seen(runnable: str) -> None:
    """Mend with: python -m tests.clients.judged --write."""
    assert judged(runnable) == SEEN[runnable]


def test_the_file_has_every_row_of_every_client() -> None:
    rows = [row.id for row in load_catalogue(Subject.CLIENT).checked]
    assert {name: list(verdicts) for name, verdicts in SEEN.items()} == dict.fromkeys(NAMES, rows)


def test_the_readme_shows_the_table() -> None:
    _, _, rest = README.read_text(encoding="utf-8").partition("<!-- judged -->\n")
    shown, _, _ = rest.partition("<!-- end of judged -->")
    assert shown.strip() == table(SEEN).strip()
