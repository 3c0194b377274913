"""One headless Chromium for all runs of the browser client, each in a page of its own.

Nothing of a run is intercepted: CORS, preflights, the cache and kept-alive connections are the browser's.
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import http.server
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from sendpoll.conformance.client.running.chromium import Chromium

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, ConsoleMessage, Page

PAGE = Path(__file__).with_name("client.html")
_TICK = 0.05
_visits = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Visit:
    """One run of the page."""

    settings: dict[str, str]
    """What the page is told in its fragment."""
    from_file: bool
    deadline: float
    """Seconds."""
    stop: threading.Event
    request_limit: int
    """How many requests are taken for proof that the page never ends, whether or not the cache answers them."""


@dataclass(slots=True)
class Seen:
    """What a run of the page showed."""

    console: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    """Uncaught exceptions: the page has ended by the first of them."""
    complaints: list[str] = field(default_factory=list)
    """The browser's own error lines on the console, such as those about CORS."""
    requests: int = 0
    ended: bool = False
    timed_out: bool = False
    seconds: float = 0.0


class Pages:
    """The pages of a running browser, and an origin that serves them. Use `shared()`; `close()` ends both."""

    def __init__(self) -> None:
        self._server = _PageServer()
        self._chromium = Chromium()
        self._free: list[Page] = []
        """Pages that no run has at the moment: opening one costs more than a run does."""
        self._context: BrowserContext = self._chromium.do(lambda browser: browser.new_context())

    def visit(self, visit: Visit) -> Seen:
        """Open the page and watch it until it ends, fails, is stopped or is out of time."""
        return self._chromium.do(lambda _: self._visit(visit))

    def close(self) -> None:
        self._chromium.close()
        self._server.close()

    async def _visit(self, visit: Visit) -> Seen:
        page, seen = self._free.pop() if self._free else await self._context.new_page(), Seen()
        listeners = _listeners(seen)
        for event, listener in listeners.items():
            page.on(event, listener)  # type: ignore[call-overload]  # it knows each event by its name alone
        try:
            return await self._watch(page, visit, seen)
        finally:
            for event, listener in listeners.items():
                page.remove_listener(event, listener)
            await page.goto("about:blank")  # whatever the last run still does ends with its document
            self._free.append(page)

    async def _watch(self, page: Page, visit: Visit, seen: Seen) -> Seen:
        # The query makes every visit a new document.
        address = PAGE.as_uri() if visit.from_file else self._server.url
        started = time.monotonic()
        await page.goto(f"{address}?{next(_visits)}#{urlencode(visit.settings)}", wait_until="commit")
        while not (seen.ended or seen.errors):
            late = time.monotonic() - started > visit.deadline
            if late or visit.stop.is_set() or seen.requests > visit.request_limit:
                seen.timed_out = True
                break
            await asyncio.sleep(_TICK)
        seen.seconds = time.monotonic() - started
        return seen


def _listeners(seen: Seen) -> dict[str, Callable[[Any], None]]:
    def on_console(message: ConsoleMessage) -> None:
        if message.type == "debug":
            seen.ended = True
        else:
            (seen.console if message.type == "log" else seen.complaints).append(message.text)

    def on_request(_: object) -> None:
        seen.requests += 1

    return {
        "console": on_console,
        "pageerror": lambda error: seen.errors.append(str(error)),
        "request": on_request,
    }


class _PageServer:
    """The page's own origin: another one than that of any server under test."""

    def __init__(self) -> None:
        handler = functools.partial(_Quiet, directory=PAGE.parent)
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="page-server", daemon=True)
        self._thread.start()
        # By name, where the servers under test are called by address: another site, not only another port.
        self.url = f"http://localhost:{self._server.server_port}/{PAGE.name}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""


_lock = threading.Lock()
_running: Pages | None = None


def shared() -> Pages:
    """Those of the one browser of this process, started at the first call."""
    global _running  # noqa: PLW0603 - one browser a process is the purpose
    with _lock:
        if _running is None:
            _running = Pages()
        return _running


@atexit.register
def close_shared() -> None:
    """End the browser, if one was started."""
    global _running  # noqa: PLW0603 - as above
    with _lock:
        if _running is not None:
            _running.close()
        _running = None
