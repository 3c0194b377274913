"""The process that watches: apart from the one that makes load, whose event loop no page may keep waiting.

It is told over standard input what to watch, says in a line how the first reading went, reads each second, and writes
all that it has read when its standard input ends, be it because the run is over or because whoever started it is gone.
"""

from __future__ import annotations

import json
import math
import select
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from sendpoll.load.observe.exposition import Series, parse_page
from sendpoll.load.observe.process_tree import ProcessTree
from sendpoll.load.observe.sources import ObserveError, name_of
from sendpoll.load.observe.table import Table

EVERY_S: Final = 1.0
_PATIENCE_S: Final = 2.0
_MOST_BYTES: Final = 16_000_000
_ACCEPT: Final = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4"


class ScrapedPage:
    """A page of Prometheus text."""

    def __init__(self, url: str) -> None:
        self.name = name_of(url)
        self._url = url
        self._client = httpx.Client(timeout=_PATIENCE_S, follow_redirects=True)

    def read(self, _: float) -> Mapping[Series, float]:
        """The page's numbers. Raises ObserveError where there are none; AwayError where nobody answers."""
        until = time.monotonic() + _PATIENCE_S
        body = bytearray()
        try:
            with self._client.stream("GET", self._url, headers={"accept": _ACCEPT}) as answer:
                if not answer.is_success:
                    raise ObserveError(f"it answers {answer.status_code}, not the text that Prometheus scrapes")
                for piece in answer.iter_bytes():
                    body += piece
                    if len(body) > _MOST_BYTES or time.monotonic() > until:
                        raise ObserveError("it is too long, or comes too slowly, to be read each second")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise AwayError(f"it does not answer ({type(error).__name__})") from error
        try:
            found = parse_page(body.decode())
        except (ValueError, KeyError, IndexError) as error:
            raise ObserveError("what it answers is not the text that Prometheus scrapes") from error
        if not found:
            raise ObserveError("it has no numbers")
        return found


class AwayError(ObserveError):
    """Nobody answers, which may be what the run is to show."""


@dataclass(slots=True)
class Watched:
    """A source, and what has been read of it."""

    source: ScrapedPage | ProcessTree
    table: Table[Series] = field(default_factory=Table)
    failures: dict[str, int] = field(default_factory=dict)
    """Why a reading failed, and how often."""

    def read(self) -> None:
        """Read once; what goes wrong is counted."""
        now = time.monotonic()
        try:
            self.table.add(now, self.source.read(now))
        except ObserveError as problem:
            self.failures[str(problem)] = self.failures.get(str(problem), 0) + 1

    def as_json(self) -> dict[str, Any]:
        """All that was read, for the process that asked."""
        columns = [
            [series.metric, series.labels, series.kind, [None if math.isnan(one) else one for one in values]]
            for series, values in self.table.columns.items()
        ]
        times = list(self.table.times)
        return {"name": self.source.name, "times": times, "columns": columns, "failures": self.failures}


def main() -> None:
    """Watch until standard input ends."""
    told = json.loads(sys.stdin.readline())
    watched: list[Watched] = []
    try:
        for option, value, make in (
            *(("--observe", url, ScrapedPage) for url in told["urls"]),
            *(("--observe-pid", pid, ProcessTree) for pid in told["pids"]),
        ):
            try:
                one = Watched(make(value))
                one.table.add(time.monotonic(), one.source.read(time.monotonic()))
            except AwayError as problem:
                one.failures[str(problem)] = 1
            except ObserveError as problem:
                shown = name_of(value) if option == "--observe" else value
                raise ObserveError(f"{option} {shown}: {problem}") from problem
            watched.append(one)
    except ObserveError as problem:
        _say({"refused": str(problem)})
        return
    _say({"refused": None})
    due = time.monotonic() + EVERY_S
    while not select.select([sys.stdin], [], [], max(0.0, due - time.monotonic()))[0]:
        for one in watched:
            one.read()
        due = max(due + EVERY_S, time.monotonic())
    for one in watched:
        one.read()
    _say([one.as_json() for one in watched])


def _say(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
