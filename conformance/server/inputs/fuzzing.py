"""Hypothesis as this suite uses it: seeded, without a database, with findings that are told and not raised."""

from __future__ import annotations

import tempfile
import unittest
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from hypothesis import HealthCheck, Phase, Verbosity, configuration, given, seed, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

Drawn = TypeVar("Drawn")

_VISIBLE_ASCII = "".join(map(chr, range(0x21, 0x7F)))


def texts(longest: int) -> SearchStrategy[str]:
    """Texts of any characters but surrogates. `st.text` would first make a table of all of Unicode, for a second."""
    character = st.one_of(
        st.sampled_from(_VISIBLE_ASCII),
        st.integers(0, 0x20).map(chr),
        st.integers(0x7F, 0xD7FF).map(chr),
        st.integers(0xE000, 0x10FFFF).map(chr),
    )
    return st.lists(character, max_size=longest).map("".join)


def visible_texts(longest: int, without: str = "") -> SearchStrategy[str]:
    """Texts of visible ASCII."""
    allowed = [character for character in _VISIBLE_ASCII if character not in without]
    return st.lists(st.sampled_from(allowed), max_size=longest).map("".join)


def suite_settings(examples: int, *, steps: int = 20) -> settings:
    """So many examples, each of at most so many steps; nothing is kept on disk and no example is shrunk.

    A finding is told to its case when it is made, with the exchanges that show it. A second try could differ: a server
    has a state, and a fault that shows under some load is a fault.
    """
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        database=None,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
        print_blob=False,
    )


def explore(strategy: SearchStrategy[Drawn], check: Callable[[Drawn], None], *, examples: int, run_seed: int) -> None:
    """Call `check` with so many drawn values, the same ones for the same seed. What `check` raises ends it."""
    ending = EarlyEnd()

    @seed(run_seed)
    @suite_settings(examples)
    @given(strategy)
    def explored(value: Drawn) -> None:
        ending.attempt(lambda: check(value))

    with nothing_on_disk(), ending.kept():
        explored()
    ending.tell()


class EarlyEnd:
    """What ended an exploration early, kept from Hypothesis: it would try again, and call what then differs flaky.

    What it is raised instead is what Hypothesis takes for the wish to skip a test, and ends by at once.
    """

    def __init__(self) -> None:
        self._error: Exception | None = None

    def attempt(self, step: Callable[[], None]) -> None:
        """Take a step, and keep what it raises; then the exploration ends."""
        try:
            step()
        except Exception as error:
            self._error = error
            raise unittest.SkipTest(str(error)) from error

    @contextmanager
    def kept(self) -> Iterator[None]:
        """The exploration stands in this block."""
        with suppress(unittest.SkipTest):
            yield

    def tell(self) -> None:
        """Raise what was kept, now that Hypothesis is done."""
        if self._error is not None:
            raise self._error


@contextmanager
def nothing_on_disk() -> Iterator[None]:
    """Keep Hypothesis from leaving its folder where the suite is started."""
    with tempfile.TemporaryDirectory(prefix="sendpoll-") as folder:
        configuration.set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            configuration.set_hypothesis_home_dir(None)
