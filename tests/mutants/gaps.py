"""Where the suite falls short of the mutants, told and not hidden."""

from __future__ import annotations

from collections.abc import Mapping

GAPS: Mapping[str, str] = {
    "accept-required": "the walk of another client hides that one call needs Accept",
    "bearer-in-small-letters-alone": "a refused token ends the run before another spelling is tried",
    "beyond-ascii-lost-in-increments": "text that is lost in increments is taken for a spelling that is not understood",
    "from-behind-the-end-stays-there": "only a task that is over is asked behind its end",
    "half-a-body-hangs": "the silence is booked under HTTP-9",
    "idle-poll-no-content": "whether a poll meets a task that has nothing new depends on the machine's pace",
    "list-for-a-body-breaks": "few of the drawn bodies are lists",
    "max-iterations-required": "see raw-utf8-refused",
    "raw-utf8-refused": "the other spellings are tried with the messages that are left, which may be none",
    "readers-share-a-cursor": "text that another reader took is taken for a spelling that is not understood",
    "content-a-number-while-running": "see readers-share-a-cursor",
}
"""Mutants that the suite does not judge as they deserve, each time or on some runs, and why."""
