"""Makes recordings with real tools: `python -m tests.conformance.recordings.make_recordings [SERVER...]`.

Chromium, through Playwright with the published page, writes HAR; mitmdump (MITMDUMP names it) writes flows and HAR of
the published Python and Node clients. Each is of a server named in `RECORDINGS`: a right one, or a mutant.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from playwright.async_api import async_playwright

from tests.clients.page_visits import PAGE
from tests.clients.runners import Options, run_client
from tests.conformance.recordings.recorded_files import FILES, RECORDINGS, Recording
from tests.mutants.catalogue import BY_NAME
from tests.mutants.serve import TOKEN, right_server, running

MITMDUMP = os.environ.get("MITMDUMP", "mitmdump")
_MESSAGE = "你好 👋"


@contextmanager
def server(name: str) -> Iterator[str]:
    with right_server() if name == "right" else running(BY_NAME[name]) as (url, _, _):
        yield url


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextmanager
def mitmproxy(url: str, *options: str) -> Iterator[str]:
    """A reverse proxy before a server, which writes what it saw when it ends."""
    port = free_port()
    command = [MITMDUMP, "-q", "--mode", f"reverse:{url}", "--listen-host", "127.0.0.1", "-p", str(port), *options]
    with tempfile.TemporaryDirectory() as home, subprocess.Popen([*command, "--set", f"confdir={home}"]) as proxy:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
        proxy.terminate()
        proxy.wait(30)


def by_mitmproxy(recording: Recording, path: Path) -> None:
    option = ["-w", str(path)] if recording.tool == "mitmproxy" else ["--set", f"hardump={path}"]
    with server(recording.server) as url, mitmproxy(url, *option) as proxy:
        run_client(recording.client, proxy, TOKEN, _MESSAGE, deadline=30, options=Options(workspace="ws-recorded"))


async def by_chromium(recording: Recording, path: Path) -> None:
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(
            executable_path=shutil.which(os.environ.get("SENDPOLL_CHROMIUM", "chromium")), args=["--no-sandbox"]
        )
        context = await browser.new_context(record_har_path=path, record_har_content="embed")
        page = await context.new_page()
        over = asyncio.Event()
        page.on("console", lambda message: over.set() if message.type == "debug" else None)
        page.on("pageerror", lambda _: over.set())
        with server(recording.server) as url:
            told = {"url": url, "token": TOKEN, "message": _MESSAGE, "workspace": "ws-recorded"}
            await page.goto(f"{PAGE.as_uri()}#{urlencode(told)}")
            with contextlib.suppress(asyncio.TimeoutError):  # a server may keep the page for ever
                await asyncio.wait_for(over.wait(), 12)
            await context.close()
        await browser.close()


def main() -> None:
    for recording in RECORDINGS:
        if sys.argv[1:] and recording.server not in sys.argv[1:]:
            continue
        path = FILES / recording.file
        path.unlink(missing_ok=True)
        if recording.tool == "chromium":
            asyncio.run(by_chromium(recording, path))
        else:
            by_mitmproxy(recording, path)
        sys.stdout.write(f"{recording.file}: {path.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
