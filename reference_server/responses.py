"""JSON answers, and the one table from what went wrong to its status."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from sendpoll.reference_server.errors import BusyError, NotFoundError, OffsetError, PaceError, RefusalError

# The charset is spelt out because package:http before 1.4.0 reads JSON without it as Latin-1, and nothing may be cached
# because a browser polls the same URL again while nothing is new.
JSON_HEADERS: Mapping[str, str] = {
    "content-type": "application/json; charset=utf-8",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
}
REFUSALS = "refusals"
"""Under which name the lifespan's state has the counts of `ErrorAnswers`."""
_log = logging.getLogger(__name__)


class UnauthorizedError(RefusalError):
    """No token, or none that is known."""


class MalformedError(RefusalError):
    """The request's syntax is broken."""


class TooLargeError(RefusalError):
    """The body is over the limit."""


class MediaTypeError(RefusalError):
    """The body is not JSON in UTF-8."""


class CodingError(RefusalError):
    """The body is compressed, or coded in another way."""


class InvalidError(RefusalError):
    """The body is JSON, but not what the schema asks for."""


STATUS: Mapping[type[RefusalError], int] = {
    MalformedError: 400,
    OffsetError: 400,
    UnauthorizedError: 401,
    NotFoundError: 404,
    BusyError: 409,
    TooLargeError: 413,
    MediaTypeError: 415,
    CodingError: 415,
    InvalidError: 422,
    PaceError: 429,
}
_HEADERS: Mapping[type[RefusalError], Mapping[str, str]] = {
    UnauthorizedError: {"www-authenticate": "Bearer"},
    CodingError: {"accept-encoding": "identity"},  # what would be taken: RFC 9110 12.5.3
}
_HTTP_CODES: Mapping[int, tuple[str, str]] = {
    404: ("not_found", "There is nothing at this path."),
    405: ("method_not_allowed", "This path does not take this method; Allow lists those that it takes."),
}


def json_response(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Response:
    """An answer with a JSON body."""
    content = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    return Response(content, status, {**JSON_HEADERS, **(headers or {})})


def error_response(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """An answer that says what went wrong."""
    return json_response(status, {"error": {"code": code, "message": message}}, headers)


class ErrorAnswers:
    """Answers what goes wrong, and counts it."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        """By the code that the answer bears."""

    async def refused(self, _request: Request, problem: Exception) -> Response:
        """The answer to a refusal of any layer."""
        if not isinstance(problem, RefusalError):
            raise TypeError(f"{type(problem).__name__} is not a refusal")
        kind = type(problem)
        headers = dict(_HEADERS.get(kind, {}))
        if problem.retry_after is not None:
            headers["retry-after"] = str(problem.retry_after)
        return self._answer(STATUS[kind], problem.code, problem.message, headers)

    async def no_route(self, _request: Request, problem: Exception) -> Response:
        """The answer where the router found no path, or no method on it."""
        if not isinstance(problem, HTTPException):
            raise TypeError(f"{type(problem).__name__} is not of the router")
        code, message = _HTTP_CODES.get(problem.status_code, ("refused", problem.detail))
        headers = dict(problem.headers or {})
        if allowed := headers.pop("Allow", None):
            headers["allow"] = ", ".join(sorted({*allowed.split(", "), "OPTIONS"}))
        return self._answer(problem.status_code, code, message, headers)

    async def client_left(self, _request: Request, _problem: Exception) -> Response:
        """The answer for a client that hung up while it sent its body, which nobody reads and which needs no word."""
        return Response(status_code=400)

    async def storage_failed(self, _request: Request, problem: Exception) -> Response:
        """The answer when the database does not take what must be durable first, or does not give back what it took."""
        _log.error("%s", problem)
        return self._answer(503, "storage_failed", "The server's database fails.", {"retry-after": "1"})

    async def broken(self, _request: Request, _problem: Exception) -> Response:
        """The answer to a fault of this program; the traceback goes to the log."""
        # uvicorn closes the connection after such an answer; a client that was not told might send its next request.
        headers = {"connection": "close"}
        return self._answer(500, "internal_error", "The server broke on this request; its log says how.", headers)

    def _answer(self, status: int, code: str, message: str, headers: Mapping[str, str]) -> Response:
        self.counts[code] += 1
        return error_response(status, code, message, headers)
