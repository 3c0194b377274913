from __future__ import annotations

import io
import logging
import time
from collections.abc import Iterator

import pytest

from sendpoll.reference_server.log import SafeFormatter, Sparing


@pytest.fixture(name="clock")
def _clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


@pytest.fixture(name="log")
def _log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(SafeFormatter("%(levelname)s %(message)s"))
    handler.addFilter(Sparing())
    logger = logging.getLogger("tests.sparing")
    logger.propagate = False
    logger.addHandler(handler)
    yield logger, written
    logger.removeHandler(handler)


def test_what_is_said_again_is_said_once_a_minute_with_its_count(
    clock: list[float], log: tuple[logging.Logger, io.StringIO]
) -> None:
    logger, written = log
    for _ in range(3):
        for _ in range(1000):
            logger.error("the disk is %s", "full")
        clock[0] += 61
    assert written.getvalue().splitlines() == [
        "ERROR the disk is full",
        "ERROR the disk is full (999 more before)",
        "ERROR the disk is full (999 more before)",
    ]


@pytest.mark.usefixtures("clock")
def test_a_flood_of_different_messages_is_bounded(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, written = log
    for number in range(5000):
        logger.error("request %d broke: %s", number, "x" * 10_000)
    assert len(written.getvalue()) < 300_000


@pytest.mark.usefixtures("clock")
def test_two_faults_of_one_name_are_both_told(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, written = log
    for value in ("a", "b", "a"):
        try:
            raise ValueError(value)
        except ValueError:
            logger.exception("it broke")
    assert [line for line in written.getvalue().splitlines() if line.startswith("ValueError")] == [
        "ValueError: a", "ValueError: b",
    ]  # fmt: skip


def test_nothing_in_it_steers_a_terminal(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, written = log
    logger.error("你好 \x1b[2J\x07\x9b31m\u202e\r done")
    assert written.getvalue() == "ERROR 你好 \\x1b[2J\\x07\\x9b31m\\u202e\\r done\n"
