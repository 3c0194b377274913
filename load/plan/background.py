"""Work that must not keep the users waiting: begun now, asked for each second until it is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

Made = TypeVar("Made")
Given_co = TypeVar("Given_co", covariant=True)


class Pending(Protocol[Given_co]):
    """What comes of some work."""

    def ready(self) -> bool:
        """Whether it is done."""
        ...

    def get(self) -> Given_co:
        """What came of it; raises what it raised."""
        ...


Background = Callable[[Callable[[], Any]], Pending[Any]]
"""Begins work."""


@dataclass(frozen=True, slots=True)
class Done(Generic[Made]):
    """Work that was done at once."""

    made: Made

    def ready(self) -> bool:
        """It is."""
        return True

    def get(self) -> Made:
        """What was made."""
        return self.made


def at_once(work: Callable[[], Made]) -> Done[Made]:
    """Do it now, in an engine whose time stands still meanwhile."""
    return Done(work())


@dataclass(frozen=True, slots=True)
class _InAThread(Generic[Made]):
    result: Any

    def ready(self) -> bool:
        """Whether the thread is done."""
        return bool(self.result.ready())

    def get(self) -> Made:
        """What it made; raises what it raised."""
        made: Made = self.result.get()
        return made


def in_a_thread(work: Callable[[], Made]) -> Pending[Made]:
    """Do it in a thread beside the users' greenlets; only where Locust runs, which has brought gevent."""
    import gevent  # noqa: PLC0415 - before a run there is none

    return _InAThread(gevent.get_hub().threadpool.spawn(work))
