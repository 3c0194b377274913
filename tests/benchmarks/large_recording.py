"""Judges a HAR of a gigabyte: memory and speed. `python -m tests.benchmarks.large_recording [--megabytes 1000]`.

The file is what a browser records of a page that polls: three fifths of its bytes are the page's own (scripts, styles,
pictures in base64), the rest is calls of the API. `--polls` makes it of calls alone.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_CHUNKS = 40
_HEADERS = {
    "Host": "agent.example",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
    "Accept": "*/*",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Authorization": "Bearer 0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    "Origin": "https://app.example",
    "Referer": "https://app.example/",
    "Sec-Fetch-Mode": "cors",
}
_ANSWER = {
    "Content-Type": "application/json; charset=utf-8",
    "Cache-Control": "no-store",
    "Access-Control-Allow-Origin": "*",
    "Date": "Fri, 15 Jan 2027 08:00:00 GMT",
}


def entry(moment: float, method: str, path: str, answer: Any, asked: Any = None, kind: str = "") -> str:
    text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    headers = _HEADERS if asked is None else {**_HEADERS, "Content-Type": "application/json"}
    request: dict[str, Any] = {
        "method": method,
        "url": f"https://agent.example{path}",
        "httpVersion": "HTTP/1.1",
        "headers": [{"name": name, "value": value} for name, value in headers.items()],
        "queryString": [],
        "cookies": [],
        "headersSize": -1,
        "bodySize": 0,
    }
    if asked is not None:
        request["postData"] = {"mimeType": "application/json", "text": json.dumps(asked)}
    told = {**_ANSWER, "Content-Type": kind} if kind else _ANSWER
    response = {
        "status": 200,
        "statusText": "OK",
        "httpVersion": "HTTP/1.1",
        "headers": [{"name": name, "value": value} for name, value in told.items()],
        "cookies": [],
        "content": {"size": len(text), "mimeType": kind or "application/json", "text": text},
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": len(text),
    }
    return json.dumps(
        {
            "startedDateTime": datetime.fromtimestamp(moment, UTC).isoformat(),
            "time": 12.5,
            "request": request,
            "response": response,
            "cache": {},
            "timings": {"blocked": 1, "send": 0.1, "wait": 10, "receive": 1.4},
            "connection": "42",
            "pageref": "page_1",
        }
    )


def entries(polls_alone: bool) -> Iterator[str]:
    """Tasks one after the other, each message polled twice a second, for ever."""
    dice, moment, task = random.Random(1), 1_800_000_000.0, 0
    yield entry(moment, "POST", "/api/v1/workspaces", {"workspace_id": "w"}, {"workspace_id": "w"})
    while True:
        task += 1
        yield entry(moment + 1, "POST", "/api/v1/workspaces/w/conversations", {"conversation_id": f"c{task}"})
        asked = {"conversation_id": f"c{task}", "message": "count", "run_mode": "fast"}
        yield entry(moment + 2, "POST", "/api/v1/workspaces/w/messages", {"task_id": f"task_{task:08x}"}, asked)
        moment += 3
        for number in range(_CHUNKS):
            events = [{"type": "text_chunk", "data": {"content": f"word {number} 你好 and some more text " * 8}}]
            status = "running" if number < _CHUNKS - 1 else "completed"
            data = {"status": status, "next_offset": number + 1, "events": events}
            yield entry(moment, "GET", f"/api/v1/tasks/task_{task:08x}?from={number}", {"data": data})
            moment += 0.5
        if not polls_alone:
            yield entry(moment, "GET", "/assets/app.js", "x = '" + f"{dice.random()} " * 10_000, kind="text/javascript")


def write(path: Path, size: int, *, polls_alone: bool) -> None:
    with path.open("w", encoding="utf-8") as file:
        written = file.write('{"log": {"version": "1.2", "creator": {"name": "benchmark"}, "pages": [], "entries": [\n')
        for number, one in enumerate(entries(polls_alone)):
            written += file.write(f"{',' if number else ''}\n{one}")
            if written > size:
                break
        file.write("\n]}}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--polls", action="store_true", help="calls of the API alone")
    parser.add_argument("--folder", type=Path, default=None, help="where the file is made")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path = Path(folder, "large.har")
        write(path, options.megabytes * 1_000_000, polls_alone=options.polls)
        size = path.stat().st_size / 1e6
        began = time.perf_counter()
        ran = subprocess.run(
            [sys.executable, "-m", "sendpoll.cli.main", "judge", str(path)], capture_output=True, text=True, check=False
        )
        took = time.perf_counter() - began
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(ran.stderr[-200:].strip())
        print(ran.stdout.strip().splitlines()[-1])
        print(f"{size:.0f} MB in {took:.1f} s: {size / took:.1f} MB/s ({size / used.ru_utime:.1f} MB a second of CPU)")
        print(f"at most {used.ru_maxrss / 1024:.0f} MB of memory; exit code {ran.returncode}")


if __name__ == "__main__":
    main()
