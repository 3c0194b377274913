"""YAML: what people mean is read, what YAML takes it for is refused, and nothing grows."""

from __future__ import annotations

import pytest

from sendpoll.core.files.errors import FileError
from sendpoll.core.files.yaml_file import parse_yaml


def refusal(text: str) -> str:
    with pytest.raises(FileError) as raised:
        parse_yaml(text, "f.yaml")
    assert str(raised.value).startswith("f.yaml")
    return str(raised.value)


def test_what_people_write_is_read() -> None:
    text = """
    text: plain words
    quoted: "no"
    single: '0123'
    tagged: !!str 12
    block: |
      a
      b
    number: 12
    minus: -3
    share: 0.25
    yes: but as a name
    empty:
    off: off
    list: [1, two, {three: 3.5}]
    """.replace("yes: but", "'yes': but").replace("off: off", "'off': off")
    assert parse_yaml(text, "f.yaml").value == {
        "text": "plain words",
        "quoted": "no",
        "single": "0123",
        "tagged": "12",
        "block": "a\nb\n",
        "number": 12,
        "minus": -3,
        "share": 0.25,
        "yes": "but as a name",
        "empty": None,
        "off": False,
        "list": [1, "two", {"three": 3.5}],
    }


def test_carriage_returns_are_line_ends() -> None:
    assert parse_yaml("a: b\r\nc:\r\n- d\r\n", "f.yaml").value == {"a": "b", "c": ["d"]}


@pytest.mark.parametrize(
    "word", ["0123", "0x1F", "1_6", "12:30:45", "2026-01-01", "2026-01-01T10:00:00Z", ".inf", ".nan", "0b11", "1_0.5"]
)
def test_a_word_that_yaml_takes_for_another_thing_is_refused_unless_quoted(word: str) -> None:
    told = refusal(f"a: b\ntoken: {word}")
    assert told.startswith("f.yaml: line 2: token: ")
    assert "quote it" in told
    assert word not in told
    assert parse_yaml(f"token: '{word}'", "f.yaml").value == {"token": word}
    assert parse_yaml(f"token: {word}", "f.yaml", all_text=True).value == {"token": word}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\na: 2", "line 2: 'a' stands twice"),
        ("a: {b: 1, b: 2}", "'b' stands twice"),
        ("no: x", "quote it"),
        ("12: x", "quote it"),
        ("? [a]\n: x", "quote it"),
        ("a: *x", "*x is an alias for nothing that stands before it; quote it"),
        ("a: &x v\nb: *x", "quote it"),
        ("<<: {a: b}", "quote it"),
        ("a: !!python/object:os.system x", "the tag"),
        ("a: !mine {}", "the tag"),
        ("a: b\n---\nc: d", "a second document"),
        ("\ta: b", "indent with spaces"),
        ("a: b: c", "quote the value that has ': '"),
        ("a: @b", "quote the value"),
        ("a: `b", "quote the value"),
        ("a: %b", "quote the value"),
        ("a: [b", "close what is open"),
        ("a: \x07", "is no YAML"),
        ("&x [*x]", "alias for nothing"),
    ],
)
def test_each_fault_is_told_with_its_line_and_mend(text: str, told: str) -> None:
    assert told in refusal(text)


def test_an_alias_of_a_mapping_is_read() -> None:
    text = "a: &x {b: c}\nd: *x\ne: [*x]"
    assert parse_yaml(text, "f.yaml").value == {"a": {"b": "c"}, "d": {"b": "c"}, "e": [{"b": "c"}]}


def test_aliases_of_aliases_do_not_grow() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "with what aliases repeat" in refusal("\n".join(lines))


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_depth_is_bounded(opening: str) -> None:
    assert "f.yaml" in refusal(opening * 100_000)


def test_a_value_is_found_by_its_line() -> None:
    parsed = parse_yaml("a:\n  - b: c\n    d: e\n", "f.yaml")
    assert parsed.where(("a", 0, "d")) == "a/0/d (line 3)"
    assert parsed.where(("a", 0, "absent")) == "a/0/absent (line 2)"
    assert parsed.where(()) == "the file (line 1)"
