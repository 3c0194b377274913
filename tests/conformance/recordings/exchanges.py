"""Recorded exchanges to be judged, written and read."""

from __future__ import annotations

import json
from typing import Any

from sendpoll.conformance.http.exchange import Response, Timing
from sendpoll.conformance.recordings.recorded_exchange import RecordedExchange

URL = "https://agent.example/base"
NOON = 1_800_000_000.0
TOKEN = "qZ7vX2kL9pR4tW8s"


def recorded(
    method: str,
    path: str,
    answer: Any = None,
    *,
    at: float = 0.0,
    took: float = 0.01,
    status: int = 200,
    **changes: Any,
) -> RecordedExchange:
    """A call of the API under `URL`, answered with a JSON document; `changes` are members of the exchange."""
    said = changes.pop("said", None)
    headers = [("Authorization", f"Bearer {TOKEN}")]
    if said is not None:
        headers.append(("Content-Type", "application/json"))
    response = Response(
        status=status,
        reason="",
        version="1.1",
        headers=(("Content-Type", "application/json; charset=utf-8"), ("Cache-Control", "no-store")),
        body=b"" if answer is None else json.dumps(answer).encode(),
        complete=True,
    )
    told = {
        "url": f"{URL}{path}",
        "method": method,
        "request_headers": tuple(headers),
        "request_body": None if said is None else json.dumps(said).encode(),
        "response": response,
        "timing": Timing(NOON + at, NOON + at, NOON + at + took, NOON + at + took, took),
    }
    return RecordedExchange(**{**told, **changes})
