"""A report as a run on a poor and hostile server would make it; what every rendering is tested on."""

from __future__ import annotations

from typing import Any

from sendpoll.conformance.http.curl import curl_line
from sendpoll.core.validation import validator
from sendpoll.schemas.catalogue import load_catalogue
from sendpoll.schemas.contract import JSON

URL = "http://localhost:8091"
SCRIPT = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
ANSI = "\x1b[31mred\x1b[0m\x1b]0;owned\x07\x9b2J"
BIDI = "\u202egnp.exe\u2066 \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627"
MARKDOWN = "a|b **bold** [link](javascript:alert(1)) `tick` @someone #1 </details> https://evil.example"
HOSTILE = f"{SCRIPT} {ANSI} NUL:\x00 {BIDI} lone:\ud83d CR\rLF\n {MARKDOWN} ]]> &amp; \uffff"
LONG = "word " * 200 + "x" * 3000

_HEADERS = [
    ["Host", "localhost:8091"],
    ["User-Agent", "python-requests/2.34.2"],
    ["Accept-Encoding", "gzip, deflate"],
    ["Accept", "*/*"],
    ["Connection", "keep-alive"],
    ["Authorization", "Bearer [token]"],
]


def exchange(number: int, target: str, answer: str | None, **changes: Any) -> Any:
    """One exchange as the report has it; a POST where `body` is among the changes."""
    body = changes.pop("body", None)
    method = "GET" if body is None else "POST"
    headers = [*_HEADERS] if body is None else [*_HEADERS, ["Content-Type", "application/json"]]
    if body is not None:
        headers.append(["Content-Length", str(len(body.encode()))])
    response = {
        "status": changes.pop("status", 200),
        "reason": changes.pop("reason", "OK"),
        "headers": [["content-type", "application/json"], ["x-hostile", HOSTILE], ["server", "sample/1.0"]],
        "body": answer,
        "body_bytes": len((answer or "").encode("utf-8", "surrogatepass")),
    }
    raw = None if body is None else body.encode()
    return {
        "number": number,
        "operation": "sendMessage" if body else "pollTask",
        "shape": "requests",
        "request": {"method": method, "target": target, "headers": headers, "body": body},
        "response": None if answer is None else response,
        "failure": "" if answer is not None else "no answer in time",
        "at_s": round(number * 0.31, 3),
        "took_s": 0.0042,
        "curl": curl_line(method, f"{URL}{target}", [(name, value) for name, value in headers], raw),
    } | changes


def violation(sentence: str, *exchanges: JSON, count: int = 1) -> Any:
    return {"sentence": sentence, "count": count, "exchanges": list(exchanges)}


def _failed() -> dict[str, list[JSON]]:
    event = '{"type":"text_chunk","data":{"content":"\u4f60\u597d"}}'
    poll = f'{{"data":{{"status":"running","events":[{event}],"next_offset":%s}}}}'
    message = '{"conversation_id":"c1","content":"it\'s $HOME \\"quoted\\" \u4f60\u597d"}'
    return {
        "POLL-3": [
            violation(
                "/data/next_offset is written as 3.0, not as an integer literal",
                exchange(12, "/api/v1/tasks/t1?from=0", poll % "3.0"),
                exchange(13, "/api/v1/tasks/t1?from=3", poll % "4.0"),
                count=41,
            )
        ],
        "POLL-5": [
            violation(
                "next_offset stayed 3 although 2 events were returned: they come again",
                exchange(20, "/api/v1/tasks/t1?from=3", poll % "3"),
            ),
            *(violation(f"event {n} is not what it was: from=0 now returns other events") for n in range(5)),
        ],
        "MSG-1": [
            violation(
                f"it answers 500 {HOSTILE}",
                exchange(30, "/api/v1/workspaces/w/messages", f"{HOSTILE} {LONG}", status=500, body=message),
            )
        ],
        "HTTP-9": [violation("nothing came for 31 s", exchange(40, "/api/v1/tasks/t2?from=0", None))],
        "CACHE-1": [
            violation("the answer has no Cache-Control", exchange(41, "/api/v1/tasks/t1?from=0", poll % "1"), count=90)
        ],
    }


_OTHERS = {
    "EVT-5": ("not_exercised", "no answer had an emoji in it; give a prompt that makes one: --prompt unicode=TEXT"),
    "POLL-8": ("not_exercised", "no task ran long enough; give a prompt for a long answer: --prompt long=TEXT"),
    "REQ-10": ("inconclusive", f"the control twin was refused too: 503 {HOSTILE}"),
    "CORS-1": ("not_applicable", "declared in target.yaml: no browser ever talks to this server"),
}


def _polls() -> list[JSON]:
    polls: list[JSON] = []
    for step in range(12):
        polls.append(_poll("eager", step * 3, 0.5 * step, 3, f"chunk {step} {HOSTILE if step == 4 else ''}"))
        polls.append(_poll("eager", step * 3 + 3, 0.5 * step + 0.25, 0, ""))
    polls.append({**_poll("lazy", 0, 4.0, 24, "many"), "next_offset": 24})
    polls.append({**_poll("lazy", 24, 6.2, 12, "rest", "completed")})
    polls.append({**_poll(f"restarting {SCRIPT}", 0, 6.5, 36, "all", "completed")})
    polls.append({**_poll("eager", 36, 6.3, 0, "", "completed")})
    return polls


def _poll(reader: str, asked: int, at: float, events: int, text: str, status: str = "running") -> Any:
    return {
        "reader": reader,
        "asked": asked,
        "at_s": at,
        "took_s": 0.02,
        "status": status,
        "events": events,
        "next_offset": asked + events,
        "text": text,
    }


def sample_report() -> Any:
    """A run that failed in several ways, with rows of every verdict, and hostile text wherever a server can put it."""
    failed = _failed()
    rows = []
    for row in load_catalogue().checked:
        verdict, reason = _OTHERS.get(row.id, ("fail" if row.id in failed else "pass", ""))
        rows.append(
            {
                "id": row.id,
                "level": str(row.level),
                "title": row.sentence,
                "because": row.because,
                "breaks": dict(row.breaks),
                "verdict": verdict,
                "exercised": 0 if verdict.startswith("not_") else 17,
                "violations": failed.get(row.id, []),
                "reason": reason,
                "checks": [f"test_traffic.py::test_all_traffic[{row.id}]"],
            }
        )
    return _run() | {
        "traits": [
            {
                "name": "tasks_at_once.workspace",
                "sentence": "one task at a time per workspace, more are refused with 409",
                "evidence": f"#73 409 {HOSTILE} while task t1 ran",
                "source": "seen",
            }
        ],
        "unfinished": {"rows": ["EVT-5"], "command": f"sendpoll check {URL} --only EVT-5 --deadline 600 {HOSTILE}"},
        "requirements": rows,
        "excluded": [{"id": row.id, "reason": row.excluded} for row in load_catalogue().rows if row.excluded],
        "tasks": [
            {"task_id": "t1", "prompt": "plain", "final_status": "completed", "events": 36, "polls": _polls()},
            {"task_id": f"t2{SCRIPT}", "prompt": "long", "final_status": None, "events": 0, "polls": []},
        ],
    }


def _run() -> Any:
    return {
        "schema_version": 1,
        "subject": "server",
        "tool": {"name": "sendpoll", "version": "0.1.0"},
        "verdict": "nonconformant",
        "exit_code": 1,
        "summary": "Not conformant: 4 of 90 MUST requirements failed.",
        "level": "should",
        "strict": False,
        "seed": 20261122,
        "examples": 25,
        "target": {"url": URL, "workspace": "w", "shape": "requests", "offset_unit": "events"},
        "started_at": "2026-11-22T08:00:00Z",
        "duration_s": 14.28,
        "requests": 412,
        "messages_sent": 14,
        "left_behind": {"workspaces": ["w"], "conversations": ["c1", f"c2{HOSTILE}"], "tasks": ["t1", "t2"]},
        "notes": [f"the server names itself {HOSTILE}"],
    }


def conformant_report() -> Any:
    """The same run on a server without a fault."""
    report = sample_report()
    for row in report["requirements"]:
        row.update(verdict="pass", violations=[], reason="", exercised=5)
    report.update(verdict="conformant", exit_code=0, summary="Conformant: all 101 requirements passed.")
    return report


def assert_valid(report: Any) -> None:
    errors = [
        f"{list(error.absolute_path)}: {error.message}" for error in validator("files/report.json").iter_errors(report)
    ]
    assert errors == []
