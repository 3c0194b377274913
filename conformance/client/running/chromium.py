"""An installed Chromium, headless, for runs that go on at the same time.

It belongs to one thread with an event loop; work is handed to it from any thread. Playwright is asked for when it is
started: it is no dependency of the toolkit, and brings no browser that would be used here.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from sendpoll.conformance.client.running.program import ProgramError

if TYPE_CHECKING:
    from playwright.async_api import Browser

_ARGUMENTS = (
    "--no-sandbox",  # continuous integration runs as root, where the sandbox refuses to start
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
T = TypeVar("T")


def executable() -> str | None:
    """The browser that is installed here: $SENDPOLL_CHROMIUM, else the first of the usual names."""
    names = (os.environ.get("SENDPOLL_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, filter(None, names))), None)


class Chromium:
    """A running browser. `close()` ends it."""

    def __init__(self) -> None:
        """Start it. Raises ProgramError where there is none, or no Playwright."""
        try:
            from playwright.async_api import async_playwright  # noqa: PLC0415 - it may be missing
        except ImportError as error:
            told = "pip install playwright; it needs no browser of its own"
            raise ProgramError(f"Playwright is not installed, which opens pages: {told}") from error
        if executable() is None:
            raise ProgramError("no Chromium is installed (Debian: chromium), and SENDPOLL_CHROMIUM names none")
        self._manager = async_playwright()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="chromium", daemon=True)
        self._thread.start()
        self._browser: Browser = self._await(self._start())

    def do(self, work: Callable[[Browser], Coroutine[Any, Any, T]]) -> T:
        """Have work done in the browser's thread; what comes of it."""
        return self._await(work(self._browser))

    def close(self) -> None:
        """End the browser and its thread."""
        self._await(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _await(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _start(self) -> Browser:
        driver = await self._manager.start()
        return await driver.chromium.launch(
            executable_path=executable(),
            args=list(_ARGUMENTS),
            handle_sigint=False,  # Ctrl-C ends the run, which ends the browser
            handle_sigterm=False,
        )

    async def _stop(self) -> None:
        await self._browser.close()
        await self._manager.__aexit__()
