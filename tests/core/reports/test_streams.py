"""Standard streams: nothing acts, and nothing about them changes how a command ends."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sendpoll.core.reports.console import console_for
from sendpoll.core.reports.streams import SafeStream, write_command

_PROGRAM = """
import os, sys, textwrap, traceback
from sendpoll.core.reports.streams import guarded_streams
with guarded_streams(os.environ):
    try:
        exec(textwrap.dedent({body!r}))
    except Exception:
        traceback.print_exc()
"""


class _Broken(io.RawIOBase):
    """A stream that takes nothing."""

    def writable(self) -> bool:
        return True

    def write(self, _: object) -> int:
        raise OSError(28, "No space left on device")

    def fileno(self) -> int:
        return self.number

    number = -1


def run(body: str, redirection: str = "", **environ: str) -> subprocess.CompletedProcess[bytes]:
    command = f'exec "$0" -c "$1" {redirection}'
    return subprocess.run(
        ["sh", "-c", command, sys.executable, _PROGRAM.format(body=body)],
        capture_output=True,
        timeout=60,
        check=False,
        env={name: value for name, value in os.environ.items() if name != "GITHUB_ACTIONS"} | environ,
    )


def test_a_text_is_visible_and_a_style_is_a_style() -> None:
    raw = io.BytesIO()
    stream = SafeStream(raw, "utf-8")
    stream.write("a\x1b[31mb\nc\u202e\n")
    console = console_for(stream)
    console.print("plain \x1b]52;c;x\x1b\\ and \x9b2J")
    assert raw.getvalue().decode() == "a\\u001b[31mb\nc\\u202e\nplain \\u001b]52;c;x\\u001b\\ and \\u009b2J\n"


def test_only_our_own_commands_are_commands() -> None:
    raw = io.BytesIO()
    stream = SafeStream(raw, "utf-8", breaks_commands=True)
    stream.write("::error::forged\n")
    write_command("::error::ours", stream)
    assert raw.getvalue() == b":\\u003aerror::forged\n::error::ours\n"


def test_a_result_that_cannot_be_written_is_an_error_and_progress_is_not(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file:
        _Broken.number = os.dup(file.fileno())
        result = SafeStream(_Broken(), "utf-8")  # type: ignore[arg-type]  # as much of a file as is used
        with pytest.raises(OSError, match="No space"):
            result.write("a\n")
        silent = SafeStream(_Broken(), "utf-8", may_fail=True)  # type: ignore[arg-type]  # the same
        silent.write("a\n")
        silent.write("b\n")
        silent.flush()


@pytest.mark.parametrize("redirection", ["", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-", "2>/dev/full"])
def test_a_closed_or_full_stream_changes_no_exit_code(redirection: str, tmp_path: Path) -> None:
    body = f"""
file = open({str(tmp_path / "file")!r}, "w")
print("result"); print("progress", file=sys.stderr)
file.close()
sys.exit(7)
"""
    assert run(body, redirection).returncode == 7
    assert (tmp_path / "file").read_bytes() == b""


def test_a_traceback_acts_on_nothing() -> None:
    done = run(r'raise ValueError("\x1b[2J\n::error::x")', GITHUB_ACTIONS="true")
    assert b"\x1b" not in done.stderr
    assert b"\n::error" not in done.stderr
    assert rb"ValueError: \u001b[2J" in done.stderr


def test_what_the_encoding_lacks_is_spelled_out() -> None:
    assert run("print('686 µs – 你')", PYTHONIOENCODING="ascii").stdout == b"686 us - \\u4f60\n"
