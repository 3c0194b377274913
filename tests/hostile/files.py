"""Files of strangers: right ones of every kind that is read, changed in ways that hurt, through the loader of each.

`outcome` is what a command makes of one: a right result, or a refusal that its command ends with 2. Anything else is a
fault of ours.
"""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sendpoll.conformance.recordings.judge_files import judge_files
from sendpoll.conformance.recordings.traffic_judge import TrafficJudge
from sendpoll.conformance.recordings.writing.ndjson_writer import NdjsonWriter
from sendpoll.conformance.reporting.write import ReportError, read_report
from sendpoll.conformance.results.baseline import BaselineError, load_baseline
from sendpoll.conformance.results.judgement import Judgement
from sendpoll.conformance.server.replay.recorded_request import ReplayError, request_of
from sendpoll.conformance.server.replay.replay import failed_row, messages
from sendpoll.conformance.server.replay.replay_task import Recorded
from sendpoll.core.files.errors import FileError
from sendpoll.core.target.target import Target
from sendpoll.core.target.target_file import load_target
from sendpoll.core.target.url import TargetError
from sendpoll.load.results.compare import CompareError, compare, read_result
from sendpoll.load.scenario.scenario import ScenarioError
from sendpoll.load.scenario.scenario_file import load_scenario
from sendpoll.schemas.contract import JSON
from tests.conformance.recordings.talk import OPENING, news, polls
from tests.conformance.reporting.sample import sample_report

REFUSALS: Final = (BaselineError, CompareError, FileError, ReplayError, ReportError, ScenarioError, TargetError)
"""What a command tells as a mistake of its user."""
_MINE: Final = Target(base_url="http://mine.example", token="the-token")
_HAR: Final = Path(__file__).parents[1] / "conformance/recordings/files/right.chromium.har"
_TARGET: Final = """url: ${URL:-http://localhost:8091}
token: ${TOKEN:-t}
headers: {X-Tenant: acme, User-Agent: "scanner/1"}
public_headers: [X-Tenant]
tls: {verify: true}
timeouts: {connect: 1, exchange: 2.5, task: 3, run: 4}
prompts: {plain: hello, unicode: "\u4f60\u597d"}
not_applicable: {CORS-1: no browsers}
max_messages: 3
"""
_SCENARIO: Final = """name: mine
description: people who ask short questions, read the answers as they come, and think a while before they go on
messages: [{text: hi, weight: 2}, {text: there}]
think_time: {kind: uniform, min: 1s, max: 5s}
abandon: {share: 0.1, after: {kind: fixed, time: 2s}}
shape: {kind: spike, users: 5, duration: 30s, at: 10s, for: 5s}
slos: ["ttfe p95 <= 2s"]
"""
_BASELINE: Final = """known_failures:
- {id: POLL-5, reason: "why", expires: 2027-01-31, issue: "https://example.org/1"}
- {id: POLL-6, reason: other}
"""


def _replayed(path: Path) -> None:
    report = read_report(path)
    for row in report["requirements"]:
        if row["verdict"] != "fail":
            continue
        failed, recorded = failed_row(report, row["id"]), Recorded.of(report)
        messages(failed, recorded)
        for violation in failed["violations"]:
            for exchange in violation["exchanges"]:
                request = request_of(exchange, row["id"], _MINE)
                if request is not None:
                    head = request.head_bytes("http://mine.example").decode("latin-1")
                    assert head.startswith((f"{request.method} http://mine.example/api/v1/",))
                    assert head.count("the-token") == head.count("Authorization: Bearer the-token") <= 1
                    assert head.count("\r\n\r\n") == 1


def _judged(path: Path) -> None:
    """A recording, whatever it is of, as `judge` reads it."""
    judge_files([path], TrafficJudge(Judgement()), lambda _: None, lambda: True)


def _recording() -> str:
    """A few exchanges of a right server, one a line."""
    written = io.StringIO()
    writer = NdjsonWriter(written)
    for exchange in (*OPENING, *polls((0, news(1, "one")), (1, news(2, "two", status="completed")))):
        writer.add(exchange)
    return written.getvalue()


def _compared(path: Path) -> None:
    result = read_result(path)
    compare(result, result)


@dataclass(frozen=True)
class Kind:
    """A kind of file, a right one of it, and what reads it."""

    name: str
    text: str
    read: Callable[[Path], object]
    refused: bool = True
    """Whether a fault in it is a reason to refuse it; what a recording has that is none is left out, with a note."""


def kinds(load_result: Mapping[str, Any]) -> tuple[Kind, ...]:
    """Every kind; `load_result` is a right result.json."""
    return (
        Kind("target.yaml", _TARGET, lambda path: load_target(path, {})),
        Kind("scenario.yaml", _SCENARIO, lambda path: load_scenario(str(path))),
        Kind("baseline.yaml", _BASELINE, load_baseline),
        Kind("report.json", json.dumps(sample_report()), _replayed),
        Kind("result.json", json.dumps(load_result), _compared),
        Kind("recording.har", _HAR.read_text(encoding="utf-8"), _judged, refused=False),
        Kind("recording.ndjson", _recording(), _judged, refused=False),
        Kind("recorded.json", json.dumps(sample_report()), _judged),
    )


def outcome(kind: Kind, path: Path) -> str:
    """`right` or `refused`. Raises whatever else comes of it."""
    try:
        kind.read(path)
    except REFUSALS as told:
        return "refused" if str(told) else "refused without a word"
    return "right"


_PIECES: Final = (
    b"&a", b"*a", b"<<: ", b"!!python/object:x ", b"? ", b"- ", b"[", b"]", b"{", b"}", b'"', b"'", b": ", b"\n", b"\t",
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xe9", b"0x1F", b"1e999", b"-0", b".inf", b"NaN", b"9" * 5000, b"\\ud83d",
    b"\\u0000", b"\r\n", b"%", b"@", b"${", b"$$", b"null", b"true", b"[" * 3000, b"{" * 3000, b'{"a":' * 300,
    b"GET / HTTP/1.1\\r\\n", b"//evil.example/", b"[token]", b"\xf0\x9f\x8e\x89",
)  # fmt: skip
_VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 2**63 - 1, 1.5, 1e308, "", " ", "\ud83d", "\0", "x" * 5000, "[token]", "\r\nX: y",
    "//evil.example/", "/api/v1/../x", "DELETE", [], {}, [[]], {"a": {}}, "9" * 4000 + "s", "0s", "http://h:99999",
)  # fmt: skip


def mutated(text: str, source: random.Random) -> bytes:
    """The file with one to four changes, of its bytes or, where it is JSON, of its values."""
    if text.startswith("{") and source.random() < 0.6:
        lines = text.splitlines() if text.count("\n{") else [text]
        at = source.randrange(len(lines))
        value = json.loads(lines[at])
        for _ in range(source.randint(1, 3)):
            _change(value, source)
        lines[at] = json.dumps(value)
        return "\n".join(lines).encode("utf-8", "surrogatepass")
    raw = bytearray(text.encode())
    if source.random() < 0.1:  # one letter: many such files are right
        raw[source.choice([at for at, byte in enumerate(raw) if chr(byte).isalpha()])] = source.choice(b"aeiouxz")
        return bytes(raw)
    for _ in range(source.randint(1, 4)):
        at = source.randrange(len(raw) + 1)
        until = min(len(raw), at + source.choice((0, 0, 1, 4, 40)))
        raw[at:until] = source.choice((source.choice(_PIECES), bytes(source.randbytes(2)), raw[at // 2 : at // 2 + 60]))
    return bytes(raw)


def _change(value: JSON, source: random.Random) -> None:
    """Put another value, or none, in some place, the deep ones as likely as the others."""
    places: list[tuple[Any, Any]] = []
    open_: list[Any] = [value]
    while open_:
        one = open_.pop()
        keys = list(one) if isinstance(one, dict) else range(len(one))
        places += [(one, key) for key in keys]
        open_ += [one[key] for key in keys if isinstance(one[key], dict | list)]
    if not places:
        return
    holder, key = source.choice(places)
    if source.random() < 0.2:
        del holder[key]
    elif isinstance(holder, dict) and source.random() < 0.1:
        holder[source.choice(("x", "\ud83d", "__class__", ""))] = source.choice(_VALUES)
    else:
        holder[key] = source.choice(_VALUES)
