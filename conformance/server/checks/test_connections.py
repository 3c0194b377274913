"""Connections that stay open between polls, as Node and browsers keep them."""

from __future__ import annotations

import pytest

from sendpoll.conformance.server.checks.check_result import CheckResult
from sendpoll.conformance.server.probing.recorded_tasks import Corpus

STAGE = 3
_CROSSING = (0.45, 0.6)
"""Seconds after an answer at which a close of the idle connection crosses the next poll."""


@pytest.mark.requirement("HTTP-7")
def test_reused_connection(corpus: Corpus, case: CheckResult) -> None:
    """A connection that neither side closed serves the next poll, after 0.6 s and after 2 s."""
    for idle in corpus.idle:
        case.judge(idle.broken, *idle.exchanges)


@pytest.mark.requirement("HTTP-8")
def test_idle_timeout_is_not_the_poll_interval(corpus: Corpus, case: CheckResult) -> None:
    """The server does not close an idle connection when the next poll is due."""
    for idle in corpus.idle:
        if idle.closed_after is None:
            case.exercise()
            continue
        crossing = _CROSSING[0] <= idle.closed_after <= _CROSSING[1]
        sentence = (
            f"the idle connection is closed {idle.closed_after:.2f} s after the answer, when the next poll is due"
        )
        case.judge(sentence if crossing else None, *idle.exchanges)
