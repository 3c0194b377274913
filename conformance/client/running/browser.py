"""A client that is a page in a browser.

The page is told all in the fragment of its URL, which no server is sent: `#url=...&token=...&workspace=...&message=...`
and perhaps `&conversation=...`. It begins by itself. A page that is a file is served, with what lies beside it, by each
situation's server, so that it may call its own origin. Its user sees its text. A page may say how far it is: it sets
`document.documentElement.dataset.sendpoll` to `running`, and to `done` or `failed` when it is over. One that does not
is over when nothing is being asked, and for some seconds nothing was asked and nothing has changed; it has failed if
it says so.
"""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from sendpoll.conformance.client.running.chromium import Chromium
from sendpoll.conformance.client.running.program import TELLS_OF_FAILURE, End, Job, ProgramError, Ran, Watch

if TYPE_CHECKING:
    from playwright.async_api import Browser as Running
    from playwright.async_api import Page, Route

_AT_ONCE = 5
_TICK = 0.1
_SETTLED = 12.0
"""Seconds in which nothing is asked and nothing changes, after which a page that does not say so is over: more than a
client waits before it tries again."""
_LOADED = 20_000
"""Milliseconds in which a page has to come."""
_STATE = "() => [document.documentElement.dataset.sendpoll || '', document.body ? document.body.innerText : '']"


@dataclass(slots=True)
class _Seen:
    """What a page showed so far."""

    text: str = ""
    state: str = ""
    changed: float = 0.0
    pending: int = 0
    """Requests that have no whole answer yet."""
    console: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Characters of all of it."""
        return len(self.text) + sum(map(len, self.console))


class Browser:
    """A page, opened anew for each run."""

    at_once = _AT_ONCE

    def __init__(self, page: str) -> None:
        """`page` is a URL or a file. Raises ProgramError where it is neither, or where no browser can be started."""
        self.name = page
        self._file = None if urlsplit(page).scheme in {"http", "https"} else Path(page)
        if self._file is not None and not self._file.is_file():
            raise ProgramError(f"--browser {page}: there is no such file; give one, or a URL with http:// or https://")
        self._over = threading.Event()
        self._chromium = Chromium()

    def close(self) -> None:
        """End every run that goes on, and the browser."""
        if not self._over.is_set():
            self._over.set()
            self._chromium.close()

    def run(self, job: Job) -> Ran:
        """Open the page once. Raises ProgramError where it cannot be opened."""
        return self._chromium.do(lambda running: self._opened(running, job))

    async def _opened(self, running: Running, job: Job) -> Ran:
        context = await running.new_context()
        try:
            return await self._watched(await context.new_page(), job)
        finally:
            await context.close()

    async def _watched(self, page: Page, job: Job) -> Ran:
        from playwright.async_api import Error  # noqa: PLC0415 - it was found when the browser was started

        seen, started = _Seen(), time.monotonic()
        _count_requests(page, seen)
        page.on("console", lambda message: seen.console.append(message.text))
        page.on("pageerror", lambda error: seen.console.append(str(error)))
        told = {name: value for name, value in asdict(job.told).items() if value is not None}
        try:
            address = self.name if self._file is None else await self._served(page, self._file, job.told.url)
            await page.goto(f"{address}#{urlencode(told)}", wait_until="commit", timeout=_LOADED)
            end = await _until_over(page, seen, Watch(job, lambda: seen.size, self._over))
        except Error as error:
            raise ProgramError(f"{self.name} cannot be opened: {error.message.splitlines()[0]}") from error
        failed = seen.state == "failed" or (not seen.state and bool(TELLS_OF_FAILURE.search(seen.text)))
        words = "".join(f"{line}\n" for line in seen.console)
        seconds = time.monotonic() - started
        return Ran(seen.text, words, int(failed) if end is End.ITSELF else None, end, seconds)

    async def _served(self, page: Page, file: Path, url: str) -> str:
        """Have the folder of a file served at the URL, but for the API; the file's address there."""

        async def give(route: Route) -> None:
            wanted = file.parent / urlsplit(route.request.url).path.lstrip("/")
            if wanted.is_file() and wanted.resolve().is_relative_to(file.parent.resolve()):
                await route.fulfill(path=wanted)
            else:
                await route.fulfill(status=404, body="no such file")

        def is_ours(asked: str) -> bool:
            return asked.startswith(f"{url}/") and not asked.startswith(f"{url}/api/")

        await page.route(is_ours, give)
        return f"{url}/{file.name}"


def _count_requests(page: Page, seen: _Seen) -> None:
    def begun(_: object) -> None:
        seen.pending += 1

    def over(_: object) -> None:
        seen.pending -= 1

    page.on("request", begun)
    page.on("requestfinished", over)
    page.on("requestfailed", over)


async def _until_over(page: Page, seen: _Seen, watch: Watch) -> End:
    while True:
        state, text = await page.evaluate(_STATE)
        now = time.monotonic()
        if (state, text) != (seen.state, seen.text):
            seen.state, seen.text, seen.changed = state, text, now
        if seen.state in {"done", "failed"}:
            return End.ITSELF
        quiet = now - max(watch.started, seen.changed, watch.job.last_request())
        if not seen.state and not seen.pending and quiet > _SETTLED:
            return End.ITSELF
        if (end := watch.verdict()) is not None:
            return end
        await asyncio.sleep(_TICK)
