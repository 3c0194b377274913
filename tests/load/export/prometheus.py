"""A real Prometheus beside a test."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

PROGRAM = shutil.which("prometheus")
Found = TypeVar("Found")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port: int = bound.getsockname()[1]
        return port


def wait_for(question: Callable[[], Found], patience: float = 60.0) -> Found:
    """The first answer that is not false."""
    until = time.monotonic() + patience
    while True:
        with contextlib.suppress(OSError):
            if found := question():
                return found
        assert time.monotonic() < until, "nothing came"
        time.sleep(0.1)


class Prometheus:
    """What it holds, asked over its API."""

    def __init__(self, url: str) -> None:
        self.url = url

    def query(self, expression: str) -> list[dict[str, Any]]:
        asked = f"{self.url}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(asked, timeout=10) as answer:
            told = json.load(answer)
        assert told["status"] == "success"
        rows: list[dict[str, Any]] = told["data"]["result"]
        return rows

    def number(self, expression: str) -> float:
        (row,) = self.query(expression)
        return float(row["value"][1])


@contextlib.contextmanager
def scraping(port: int, folder: Path) -> Iterator[Prometheus]:
    """A Prometheus that scrapes a page of this machine each second, for the length of a `with` block."""
    assert PROGRAM is not None
    settings = folder / "prometheus.yml"
    settings.write_text(
        "global: {scrape_interval: 1s}\n"
        f"scrape_configs: [{{job_name: sendpoll, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}]\n"
    )
    own = free_port()
    command = [PROGRAM, f"--config.file={settings}", f"--storage.tsdb.path={folder / 'data'}"]
    command += [f"--web.listen-address=127.0.0.1:{own}", "--log.level=error"]
    with subprocess.Popen(command) as child:
        try:
            url = f"http://127.0.0.1:{own}"
            wait_for(lambda: urllib.request.urlopen(f"{url}/-/ready", timeout=5).status == 200)
            yield Prometheus(url)
        finally:
            child.terminate()
