from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from sendpoll.conformance.reporting.write import ReportError, read_report, write_reports
from sendpoll.core.reports.files import InvalidFileError, UnwrittenError, make_folder
from tests.conformance.reporting.sample import assert_valid, sample_report

_NAMES = {"report.json", "report.html", "junit.xml", "summary.md", "badge.json"}


def test_all_renderings_are_written_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "er"
    make_folder(folder)
    written = write_reports(sample_report(), folder)
    assert {path.name for path in written} == _NAMES
    assert {path.name for path in folder.iterdir()} == _NAMES
    ET.parse(folder / "junit.xml")
    json.loads((folder / "badge.json").read_text(encoding="utf-8"))


def test_a_report_is_read_back_as_it_was(tmp_path: Path) -> None:
    write_reports(sample_report(), tmp_path)
    assert_valid(read_report(tmp_path))
    assert read_report(tmp_path / "report.json") == sample_report()


def test_a_report_that_breaks_its_schema_is_kept_and_told(tmp_path: Path) -> None:
    report = sample_report()
    report["requirements"][3]["verdict"] = "maybe"
    with pytest.raises(InvalidFileError, match="requirements/3/verdict"):
        write_reports(report, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"report.json"}


def test_a_rendering_that_breaks_leaves_the_old_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_reports(sample_report(), tmp_path)
    before = (tmp_path / "report.html").read_bytes()

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(UnwrittenError, match=r"report\.html: No space"):
        write_reports(sample_report(), tmp_path)
    assert (tmp_path / "report.html").read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == _NAMES


def test_a_folder_that_is_a_file_is_an_error_with_its_name(tmp_path: Path) -> None:
    file = tmp_path / "taken"
    file.write_text("")
    with pytest.raises(OSError, match="exists") as caught:
        make_folder(file)
    assert caught.value.filename == str(file)


@pytest.mark.parametrize("content", [b"", b"\xff", b"{}", b"[1]"])
def test_what_is_no_report_is_told_with_its_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.json"
    path.write_bytes(content)
    with pytest.raises(ReportError, match=r"other\.json"):
        read_report(path)


def test_a_missing_report_is_told(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="No such file"):
        read_report(tmp_path)
