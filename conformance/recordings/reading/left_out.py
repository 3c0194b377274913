"""What of a recording was left out and why, counted, in words for the report."""

from __future__ import annotations

from sendpoll.core.text.units import counted

_MOST_REASONS = 30


class LeftOut:
    """Counts what could not be used of one recording."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._counts: dict[str, int] = {}
        self._first: dict[str, str] = {}
        self._ends: list[str] = []

    def add(self, reason: str, place: str) -> None:
        """One exchange is left out; `place` is where it stands, such as `entry 12`."""
        if reason not in self._counts and len(self._counts) >= _MOST_REASONS:
            reason = "for other reasons"
        self._counts[reason] = self._counts.get(reason, 0) + 1
        self._first.setdefault(reason, place)

    def end(self, sentence: str) -> None:
        """The recording could not be read to its end."""
        self._ends.append(f"{self._name}: {sentence}")

    @property
    def notes(self) -> list[str]:
        """Sentences, the most frequent reason first."""
        ranked = sorted(self._counts.items(), key=lambda one: -one[1])
        told = [
            f"{self._name}: {counted(count, 'exchange')} left out: {reason} (first: {self._first[reason]})"
            for reason, count in ranked
        ]
        return [*self._ends, *told]
