"""Rules over one client's recorded requests that a played situation judges by how a run ends."""

from __future__ import annotations

from sendpoll.conformance.client.judging.observation import Misstep, Observation, SituationTally, news
from sendpoll.core.oracle import RUNNING

_LOOKS_ONCE_MORE = 1
"""Polls behind the end that are no going on."""


def stops(seen: Observation) -> SituationTally:
    """C-11: nobody polls on from the end of a task whose final status it was told."""
    polls, tally = seen.calls("pollTask"), SituationTally()
    final = next((at for at, one in enumerate(polls) if news(one).get("status", RUNNING) != RUNNING), None)
    if final is None:
        return tally
    tally.exercised = 1
    last = polls[final]
    end = str(news(last).get("next_offset"))
    more = [one for one in polls[final + 1 :] if one.request.query.get("from") == [end]]
    if len(more) > _LOOKS_ONCE_MORE:
        status = str(news(last)["status"])[:40]
        told = f"It polled {len(more)} times more after it was told that the status is {status!r}."
        tally.violations.append(Misstep(told, (last, more[0])))
    return tally
