"""A conversation of a client with a server as it would be recorded, step by step on a clock of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sendpoll.conformance.recordings.recorded_exchange import RecordedExchange
from sendpoll.conformance.recordings.traffic_judge import TrafficJudge
from sendpoll.conformance.results.judgement import Judgement
from sendpoll.conformance.results.report_json import Report
from tests.conformance.recordings.exchanges import recorded


def chunk(text: str) -> dict[str, Any]:
    return {"type": "text_chunk", "data": {"content": text}}


def news(offset: int, *texts: str, status: str = "running") -> dict[str, Any]:
    return {"data": {"status": status, "next_offset": offset, "events": [chunk(text) for text in texts]}}


OPENING = (
    recorded("POST", "/api/v1/workspaces", {"workspace_id": "w"}, at=0.0, said={"workspace_id": "w"}),
    recorded("POST", "/api/v1/workspaces/w/conversations", {"conversation_id": "c"}, at=0.1),
    recorded(
        "POST",
        "/api/v1/workspaces/w/messages",
        {"task_id": "Task-of-the-recording"},
        at=0.2,
        said={"conversation_id": "c", "message": "hello", "run_mode": "fast"},
    ),
)


def polls(
    *answered: tuple[int, Any], pause: float = 0.5, at: float = 0.3, task: str = "Task-of-the-recording"
) -> list[RecordedExchange]:
    """Each an offset that is asked with and what came, a pause apart; a number in place of an answer is a status."""
    return [
        recorded(
            "GET",
            f"/api/v1/tasks/{task}?from={offset}",
            {"error": {"code": "no", "message": "no"}} if isinstance(answer, int) else answer,
            at=at + number * pause,
            status=answer if isinstance(answer, int) else 200,
        )
        for number, (offset, answer) in enumerate(answered)
    ]


RIGHT: Sequence[RecordedExchange] = (
    *OPENING,
    *polls((0, news(1, "one ")), (1, news(1)), (1, news(3, "two ", "three")), (3, news(4, ".", status="completed"))),
)


def judged(exchanges: Iterable[RecordedExchange], **options: Any) -> Report:
    judge = TrafficJudge(options.pop("judgement", Judgement()), **options)
    for one in exchanges:
        judge.add(one)
    return judge.report()


def verdicts(report: Report) -> dict[str, str]:
    return {row["id"]: row["verdict"] for row in report["requirements"]}


def failed(report: Report) -> set[str]:
    return {row for row, verdict in verdicts(report).items() if verdict == "fail"}
