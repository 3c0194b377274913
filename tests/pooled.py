"""Long runs that mostly wait, several at a time: each test takes its own outcome when it comes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

Outcome = TypeVar("Outcome")


@contextlib.contextmanager
def pooled(
    request: pytest.FixtureRequest, work: Callable[[str], Outcome], at_once: int = 4
) -> Iterator[Callable[[str], Outcome]]:
    """Start `work` for the parameter `name` of every selected test of the requesting module; yield how to get one."""
    mine = (
        item for item in request.session.items if isinstance(item, pytest.Function) and item.module is request.module
    )
    names = dict.fromkeys(name for item in mine if (name := _name(item)))
    with ThreadPoolExecutor(at_once) as pool:
        futures = {name: pool.submit(work, name) for name in names}
        try:
            yield lambda name: futures[name].result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _name(item: pytest.Function) -> str:
    callspec = getattr(item, "callspec", None)
    return str(callspec.params.get("name", "")) if callspec else ""
