"""Who is told how a run goes on."""

from __future__ import annotations

from typing import Protocol


class Listener(Protocol):
    """Who wants to know how a run goes on. Called from several threads."""

    def phase(self, name: str) -> None:
        """A new part of the run begins."""

    def note(self, sentence: str) -> None:
        """Something was learnt that the user wants to know now."""

    def row(self, *, failed: bool = False) -> None:
        """One more requirement is judged."""

    def request(self) -> None:
        """One more request was answered, or was not."""


class Silence:
    """A listener who does not."""

    def phase(self, name: str) -> None:
        """Say nothing."""

    def note(self, sentence: str) -> None:
        """Say nothing."""

    def row(self, *, failed: bool = False) -> None:
        """Say nothing."""

    def request(self) -> None:
        """Say nothing."""
