"""Each published client fares through the proxy as without it, and what went by says that nobody is at fault."""

from __future__ import annotations

import pytest

from sendpoll.conformance.recordings.traffic_judge import TrafficJudge
from sendpoll.conformance.results.judgement import Judgement
from sendpoll.core.target.target import Target
from tests.clients.runners import CLIENTS, run_client
from tests.conformance.reference import TOKEN, reference
from tests.proxy.proxied import proxied

MESSAGE = "介绍一下 e\u0301 и 🙂🏳️‍🌈"
GUARD = 120.0


@pytest.mark.parametrize("client", CLIENTS)
def test_a_published_client_has_the_same_answer_through_it(runnable: str) -> None:
    with reference() as server:
        direct = run_client(runnable, server.url, TOKEN, MESSAGE, GUARD)
        with proxied(Target(base_url=server.url, token=TOKEN)) as proxy:
            through = run_client(runnable, proxy.url, TOKEN, MESSAGE, GUARD)
    assert (direct.exit_code, through.exit_code, through.timed_out) == (0, 0, False), through.stderr
    assert through.answer == direct.answer != ""

    judge = TrafficJudge(Judgement("must"), secrets=[TOKEN])
    for recorded in proxy.seen:
        assert judge.add(recorded) == []
