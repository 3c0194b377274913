"""The walk through the calls as no published client does it: on one connection, with cookies."""

from __future__ import annotations

from dataclasses import replace

from sendpoll.conformance.http.exchange import Exchange, Intent, Request
from sendpoll.conformance.server.probing.api import Api
from sendpoll.conformance.server.probing.recorder import Recorder
from sendpoll.conformance.server.probing.run_context import RunContext, Walk
from sendpoll.conformance.server.transport.connection import Connection


class _Session(Recorder):
    """A recorder that keeps one connection and whatever cookies it is given."""

    def __init__(self, outer: Recorder) -> None:
        super().__init__(outer.target, started=outer.started)
        self._outer = outer
        self.created_resources = outer.created_resources
        self._cookies: dict[str, str] = {}
        self._kept: Connection | None = None

    def reserve(self, *, held: int = 0) -> None:
        self._outer.reserve(held=held)

    def release(self) -> None:
        self._outer.release()

    def send(
        self,
        request: Request,
        *,
        connection: Connection | None = None,
        host: str | None = None,
        patient: bool = True,
    ) -> Exchange:
        if self._kept is None or not self._kept.may_be_used_again():
            self.close()
            self._kept = self.connect()
        cookie = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        if cookie:
            request = replace(request, headers=(*request.headers, ("Cookie", cookie)))
        exchange = super().send(request, connection=connection or self._kept, host=host, patient=patient)
        for line in exchange.response.all("set-cookie") if exchange.response else ():
            name, _, value = line.partition(";")[0].partition("=")
            self._cookies[name.strip()] = value.strip()
        return exchange

    def close(self) -> None:
        if self._kept is not None:
            self._kept.close()


def walk_in_session(context: RunContext) -> Walk | None:
    """One walk as a session; None where no message may be sent for it. Its traffic is judged by its caller alone."""
    if context.recorder.affordable < 1:
        return None
    session = _Session(context.recorder)
    try:
        return context.walk(Api(session, context.api.shape), Intent.SHAPE)
    finally:
        session.close()
        context.recorder.requests += session.requests
        context.recorder.messages += session.messages
