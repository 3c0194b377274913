"""Runs a mutant for the length of a `with` block."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from sendpoll.reference_server.app import create_app
from sendpoll.reference_server.embedded import running_app
from sendpoll.reference_server.settings import Settings
from tests.mutants.byte_front import ByteFault, running_byte_front
from tests.mutants.exchange import Desk
from tests.mutants.front import Front
from tests.mutants.model import Listening, Mutant
from tests.mutants.restarting import restartable

TOKEN = "mutant-token-of-the-first"
SECOND_TOKEN = "mutant-token-of-the-second"

PACE = Settings(
    tokens=(TOKEN, SECOND_TOKEN), host="127.0.0.1", port=0, agent="scripted", chunks=20, chunk_interval=0.035
)
"""Tasks of 0.7 s: short enough for hundreds of runs, long enough for many polls."""


@contextlib.contextmanager
def running(mutant: Mutant, port: int = 0) -> Iterator[tuple[str, str, str]]:
    """Serve the mutant; yield its base URL and two tokens that it knows."""
    made = mutant.make
    if isinstance(made, ByteFault):
        with right_server() as (upstream, _, _), running_byte_front(made, upstream, port) as url:
            yield url, TOKEN, SECOND_TOKEN
    elif isinstance(made, Listening):
        settings = replace(PACE, host=made.address, port=port)
        with running_app(create_app(settings), settings) as url:
            yield f"http://{made.name}:{url.rpartition(':')[2]}", TOKEN, SECOND_TOKEN
    elif mutant.restarts:
        desk = Desk()
        with (
            running_app(Front(create_app(PACE), made, desk), PACE) as upstream,
            restartable(upstream, desk, port) as url,
        ):
            yield url, TOKEN, SECOND_TOKEN
    else:
        settings = replace(PACE, port=port)
        with running_app(Front(create_app(settings), made), settings) as url:
            yield url, TOKEN, SECOND_TOKEN


@contextlib.contextmanager
def right_server() -> Iterator[tuple[str, str, str]]:
    """Serve the reference server at the pace of the mutants: what all of them are but for their fault."""
    with running_app(create_app(PACE), PACE) as url:
        yield url, TOKEN, SECOND_TOKEN
