"""Tasks of servers of a known discipline, as polls let see them."""

from __future__ import annotations

import math

from sendpoll.load.engine import Order
from sendpoll.load.plan.queueing.traces import Traces, traces_of
from tests.load.plan.virtual_sharing import SharingLoad, SharingServer


def seen(server: SharingServer, levels: tuple[tuple[int, float], ...], seed: int = 1) -> Traces:
    """What a server shows while so many users are held for so many seconds, one level behind the other."""
    load = SharingLoad(server, seed)
    for users, seconds in levels:
        load.hold(Order(users))
        load.advance(load.now + seconds)
    ended = [record for record in load.ended if record.ended_at <= load.now]
    assert all(math.isfinite(record.ended_at) for record in ended)
    return traces_of(ended, server.poll_interval, now=load.now)
