"""The command that restarts a target: started once, watched while it runs, its last words kept for people."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from typing import Final

_LAST_WORDS: Final = 300
"""Characters of what the command printed last that are told."""


class RestartCommand:
    """A running command of the user's shell.

    It reads nothing, and what it starts may outlive it and us: a server that it puts into the background, or that it is
    itself. So it is never ended from here, and what it prints goes to a file, which no reader has to empty.
    """

    def __init__(self, command: str) -> None:
        """Start it. Raises OSError where there is no shell."""
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - `close` ends it
        self._process = subprocess.Popen(  # noqa: S602 - the user's own command, for the user's own shell
            command,
            shell=True,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C ends who judges the server, not the server
        )

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def failure(self) -> str:
        """With which code it ended, and its last words; empty while it runs, and where it ended with 0."""
        code = self._process.poll()
        if not code:
            return ""
        said = self._last_words()
        how = f"ended with {code}" if code > 0 else f"was ended by signal {-code}"
        return f"the restart command {how}{f': {said}' if said else ''}"

    def _last_words(self) -> str:
        self._output.seek(0, 2)
        self._output.seek(max(0, self._output.tell() - 4 * _LAST_WORDS))
        lines = self._output.read().decode("utf-8", "replace").split("\n")
        return next((line.strip()[-_LAST_WORDS:] for line in reversed(lines) if line.strip()), "")

    def close(self) -> None:
        """Let go of what it printed. A command that has not ended goes on, and leaves no zombie when it ends."""
        self._output.close()
        if self.is_running:
            threading.Thread(target=self._process.wait, name="restart-command", daemon=True).start()
