"""The catalogue: whole, typed, and told of by file and row where it is wrong."""

from __future__ import annotations

import dataclasses

import pytest

from sendpoll.schemas.catalogue import CLIENTS, CatalogueError, Level, load_catalogue, parse_catalogue

CLIENT_NEEDS = {
    f"{group}-{number}"
    for group, last in {
        "REQ": 11, "WS": 3, "CONV": 2, "MSG": 2, "ID": 8, "POLL": 11, "EVT": 6, "JSON": 4, "ENC": 7, "HTTP": 10,
        "CORS": 7,
    }.items()
    for number in range(1, last + 1)
}  # fmt: skip
ROW = """
- id: POLL-8
  level: MUST
  title: deliver everything
  because: every client stops there
  breaks: {C: text is cut}
"""


def test_every_need_of_the_clients_is_a_row() -> None:
    assert load_catalogue().by_id.keys() >= CLIENT_NEEDS


def test_each_row_is_complete() -> None:
    for row in load_catalogue().rows:
        assert row.sentence.startswith(f"The server {row.level.lower()} ")
        assert row.sentence.endswith(".")
        assert not row.sentence.endswith("..")
        assert set(row.breaks) <= set(CLIENTS)
        assert row.level is Level.SHOULD or row.breaks or row.excluded
        assert row.example or row.level is Level.SHOULD or row.excluded


def test_only_what_asks_nothing_of_a_server_is_excluded() -> None:
    assert {row.id for row in load_catalogue().rows if row.excluded} == {"EVT-6", "HTTP-10", "CORS-7"}


def test_rows_are_frozen() -> None:
    row = load_catalogue().rows[0]
    with pytest.raises(dataclasses.FrozenInstanceError):
        row.title = "other"  # type: ignore[misc]  # this is what is tried
    with pytest.raises(TypeError):
        row.breaks["C"] = "other"  # type: ignore[index]  # this too


def test_a_right_row_is_read() -> None:
    (row,) = parse_catalogue(ROW, "rows.yaml").rows
    assert (row.id, row.level, row.breaks) == ("POLL-8", Level.MUST, {"C": "text is cut"})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (ROW + ROW, "rows.yaml: POLL-8: the id stands twice"),
        (ROW.replace("MUST", "MAY"), "rows.yaml: POLL-8: level must be MUST or SHOULD, not 'MAY'"),
        (ROW.replace("level: MUST", ""), "rows.yaml: POLL-8: level must be"),
        (ROW.replace("  because: every client stops there\n", ""), "rows.yaml: POLL-8: because is missing"),
        (ROW.replace("  title: deliver everything\n", ""), "rows.yaml: POLL-8: title is missing"),
        (ROW.replace("every client stops there", '" "'), "rows.yaml: POLL-8: because must be a text"),
        (ROW.replace("title: deliver everything", "title: 7"), "rows.yaml: POLL-8: title must be a text, not 7"),
        (ROW.replace("because", "becuase"), "rows.yaml: POLL-8: unknown key 'becuase'"),
        (ROW.replace("{C: text", "{X: text"), "rows.yaml: POLL-8: breaks names the unknown client 'X'"),
        (ROW.replace("{C: text is cut}", "{C: 4}"), "rows.yaml: POLL-8: breaks must map"),
        (ROW.replace("{C: text is cut}", "all"), "rows.yaml: POLL-8: breaks must map"),
        (ROW.replace("{C: text is cut}", "{}"), "rows.yaml: POLL-8: a MUST row names the clients"),
        (ROW.replace("POLL-8", "poll 8"), "rows.yaml: poll 8: an id is capital letters"),
        (ROW.replace("id: POLL-8", "name: x"), "rows.yaml: row 1: a row is a mapping with an id"),
        ("- just text", "rows.yaml: row 1: a row is a mapping with an id"),
        ("a: b", "rows.yaml: the catalogue must be a list"),
        ("", "rows.yaml: the catalogue must be a list"),
        ("- [", "rows.yaml is no YAML"),
    ],
)
def test_each_fault_is_told_with_file_and_row(text: str, told: str) -> None:
    with pytest.raises(CatalogueError) as raised:
        parse_catalogue(text, "rows.yaml")
    assert str(raised.value).startswith(told)
    assert "\n" not in str(raised.value)
