"""Report files: whole or absent, and none lost without a word."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sendpoll.core.reports.files import (
    InvalidFileError,
    UnwrittenError,
    json_text,
    lines_of,
    make_folder,
    printed_anyway,
    write_file,
    write_files,
    write_report,
)


def test_a_link_is_replaced_and_never_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("precious", encoding="utf-8")
    link = tmp_path / "report.json"
    link.symlink_to(other)
    write_file(link, "new")
    assert other.read_text(encoding="utf-8") == "precious"
    assert not link.is_symlink()
    assert link.read_text(encoding="utf-8") == "new"
    assert link.stat().st_mode & 0o777 == 0o644


def test_a_file_that_fails_half_way_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    def lines() -> Iterator[str]:
        yield "first\n"
        raise OSError(28, "No space left on device")

    (tmp_path / "log").write_text("old", encoding="utf-8")
    with pytest.raises(OSError, match="No space"):
        write_file(tmp_path / "log", lines())
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == {"log": "old"}


def test_a_file_that_cannot_be_written_keeps_no_other_from_it(tmp_path: Path) -> None:
    limit = 20_000
    program = f"""
import resource, sys
from pathlib import Path
from sendpoll.core.reports.files import UnwrittenError, write_files
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
big, small = "x" * {limit + 1}, "y"
try:
    write_files(Path(sys.argv[1]), [("a", lambda: small), ("b", lambda: big), ("c", lambda: small)])
except UnwrittenError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == f"{tmp_path}/b: {os.strerror(27)}\n"
    assert {path.name for path in tmp_path.iterdir()} == {"a", "c"}


def test_a_folder_that_is_gone_is_named_with_every_file(tmp_path: Path) -> None:
    with pytest.raises(UnwrittenError, match=r"gone/a: No such file.*gone/b: No such file"):
        write_files(tmp_path / "gone", [("a", lambda: ""), ("b", lambda: "")])


def test_a_folder_is_made_and_tried_before_it_is_needed(tmp_path: Path) -> None:
    make_folder(tmp_path / "deep" / "er")
    assert list((tmp_path / "deep" / "er").iterdir()) == []
    with pytest.raises(OSError, match="/proc/self"):
        make_folder(Path("/proc/self"))


def test_a_report_that_breaks_its_schema_is_kept_as_evidence(tmp_path: Path) -> None:
    with pytest.raises(InvalidFileError, match=r"baseline\.json: the file is not as this version has it"):
        write_report(tmp_path, "baseline.json", "baseline.json", {"no": "rows"}, {"other.txt": lambda: "x"})
    assert {path.name for path in tmp_path.iterdir()} == {"baseline.json"}


def test_json_holds_any_text_in_plain_ascii() -> None:
    hostile = "\x00\x1b\x7f\x9b\u202e\u2028\ud83d\U000e0041"
    for text in (json_text({hostile: hostile}), "".join(lines_of([hostile]))):
        assert text.isascii()
        assert text.replace("\n", "").isprintable()
    assert json.loads(json_text({hostile: hostile})) == {hostile: hostile}


def test_what_was_found_is_shown_before_the_error_is_told() -> None:
    shown: list[str] = []
    with pytest.raises(UnwrittenError), printed_anyway(lambda: shown.append("result")):
        raise UnwrittenError({Path("a"): "full"})
    assert shown == ["result"]
