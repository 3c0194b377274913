"""Asks whether an answer is still good, as a browser does that keeps one which it must ask about each time."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from sendpoll.conformance.http.exchange import Exchange, Intent
from sendpoll.conformance.rules.headers import may_be_stored
from sendpoll.conformance.rules.predicates import events_of
from sendpoll.conformance.server.probing.api import Api

_VALIDATORS = {"If-None-Match": "etag", "If-Modified-Since": "last-modified"}
"""What a browser asks with, and the header of the answer before that it takes it from."""


@dataclass(frozen=True, slots=True)
class Revalidation:
    """An answer to from=0 while a task grew, and what was said later to its validators."""

    before: Exchange
    after: Exchange

    @property
    def events(self) -> int:
        """How many events the answer had that was asked about."""
        return len(events_of(self.before))


def revalidate(api: Api, task: str, before: Exchange) -> Revalidation | None:
    """Ask for the same again with the validators of an answer; None where it has none, or may not be kept."""
    if before.response is None or not before.ok or not may_be_stored(before.response):
        return None
    told = {asks: before.response.header(name) for asks, name in _VALIDATORS.items()}
    asked = tuple((name, value) for name, value in told.items() if value)
    if not asked:
        return None
    plain = api.poll_request(task, "from=0", intent=Intent.PROBE)
    after = api.recorder.send(dataclasses.replace(plain, headers=(*plain.headers, *asked)))
    return Revalidation(before.trimmed(), after.trimmed())
