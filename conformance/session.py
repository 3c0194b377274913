"""The walk through the calls as no published client does it: on one connection, with cookies."""

from __future__ import annotations

from dataclasses import replace

from sendpoll.conformance.api import Api
from sendpoll.conformance.connection import Connection
from sendpoll.conformance.exchange import Exchange, Intent, Request
from sendpoll.conformance.lab import Lab, Walk
from sendpoll.conformance.recorder import Recorder


class _Session(Recorder):
    """A recorder that keeps one connection and whatever cookies it is given."""

    def __init__(self, outer: Recorder) -> None:
        super().__init__(outer.target, started=outer.started)
        self._outer = outer
        self.left_behind = outer.left_behind
        self._cookies: dict[str, str] = {}
        self._kept: Connection | None = None

    def reserve(self) -> None:
        self._outer.reserve()

    def release(self) -> None:
        self._outer.release()

    def send(self, request: Request, *, connection: Connection | None = None, host: str | None = None) -> Exchange:
        if self._kept is None or not self._kept.may_be_used_again():
            self.close()
            self._kept = self.connect()
        cookie = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        if cookie:
            request = replace(request, headers=(*request.headers, ("Cookie", cookie)))
        exchange = super().send(request, connection=connection or self._kept, host=host)
        for line in exchange.response.all("set-cookie") if exchange.response else ():
            name, _, value = line.partition(";")[0].partition("=")
            self._cookies[name.strip()] = value.strip()
        return exchange

    def close(self) -> None:
        if self._kept is not None:
            self._kept.close()


def walk_in_session(lab: Lab) -> Walk | None:
    """One walk as a session; None where no message may be sent for it. Its traffic is judged by its caller alone."""
    if lab.recorder.affordable < 1:
        return None
    session = _Session(lab.recorder)
    try:
        return lab.walk(Api(session, lab.api.shape), Intent.SHAPE)
    finally:
        session.close()
        lab.recorder.requests += session.requests
        lab.recorder.messages += session.messages
