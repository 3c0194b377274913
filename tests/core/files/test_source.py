"""The text of a file: whatever it is, in a bounded time and memory, and in words where it cannot be had."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from sendpoll.core.files.errors import FileError
from sendpoll.core.files.source import read_source

TEXT = "url: http://h\n# 你好\n"


def refusal(path: Path, most: int = 1000) -> str:
    with pytest.raises(FileError) as raised:
        read_source(path, most)
    assert str(path) in str(raised.value)
    return str(raised.value)


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "a"
    for raw in (TEXT.encode(), b"\xef\xbb\xbf" + TEXT.encode()):
        path.write_bytes(raw)
        assert read_source(path, 1000) == TEXT


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_codings_are_named(tmp_path: Path, coding: str) -> None:
    path = tmp_path / "a"
    path.write_bytes("url: http://h".encode(coding))
    assert "is written in UTF-" in refusal(path)
    assert "save it as UTF-8" in refusal(path)


def test_a_code_page_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"a: b\nc: caf\xe9\n")
    assert "line 2 holds the byte 0xE9" in refusal(path)


def test_what_is_too_long_is_read_no_further(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 2048)
    assert read_source(path, 2048) == "x" * 2048
    assert "longer than 1 KiB" in refusal(path, 1024)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/urandom"])
def test_a_device_is_no_file(device: str) -> None:
    assert "is a device" in refusal(Path(device))


def test_a_folder_and_nothing_are_no_files(tmp_path: Path) -> None:
    assert "is a folder" in refusal(tmp_path)
    assert "No such file" in refusal(tmp_path / "absent")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    assert "symbolic links" in refusal(tmp_path / "circle")


def test_a_pipe_is_read_to_its_end() -> None:
    """As `--target <(envsubst < target.yaml)` gives one."""
    reading, writing = os.pipe()
    os.write(writing, TEXT.encode())
    os.close(writing)
    assert read_source(Path(f"/dev/fd/{reading}"), 1000) == TEXT
    os.close(reading)


def test_a_pipe_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sendpoll.core.files.source._PIPE_SECONDS", 0.1)
    reading, writing = os.pipe()
    os.write(writing, b"x")
    assert "did not come to its end" in refusal(Path(f"/dev/fd/{reading}"))
    os.close(writing)
    os.close(reading)


def test_a_pipe_that_never_stops_is_too_long() -> None:
    reading, writing = os.pipe()

    def pour() -> None:
        try:
            while True:
                os.write(writing, b"x" * 4096)
        except OSError:
            return
        finally:
            os.close(writing)

    thread = threading.Thread(target=pour)
    thread.start()
    assert "longer than" in refusal(Path(f"/dev/fd/{reading}"), 10_000)
    os.close(reading)
    thread.join(10)


def test_a_named_pipe_that_nobody_writes_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sendpoll.core.files.source._PIPE_SECONDS", 0.1)
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert "did not come to its end" in refusal(path)
