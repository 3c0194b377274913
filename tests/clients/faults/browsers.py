"""Faults that only a browser sees: CORS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sendpoll.conformance.client.serving.behaviour import Reshape
from sendpoll.conformance.client.serving.messages import Answer, ReceivedRequest, error
from tests.clients.fault import Fault
from tests.clients.faults.documents import answers

ORIGIN, HEADERS = "Access-Control-Allow-Origin", "Access-Control-Allow-Headers"
WITH_FILE_PAGE = ("curl", "python", "node", "browser", "browser_file", "dart")
QUOTA = "the quota is used up"


def preflight(change: Callable[[ReceivedRequest, Answer], Answer]) -> Reshape:
    return lambda request, right: change(request, right) if request.call == "preflight" else right


def status(code: int) -> Reshape:
    """That status for every preflight, with the headers of a right one."""
    return preflight(lambda _, right: replace(right, status=code))


def allowing(names: str) -> Reshape:
    return preflight(lambda _, right: right.with_header(HEADERS, names))


def _refuses_null(request: ReceivedRequest, right: Answer) -> Answer:
    origin = request.header("Origin")
    return right.with_header(ORIGIN, None if origin == "null" else origin)


def _moved(request: ReceivedRequest, right: Answer) -> Answer:
    path, mark, query = request.target.partition("?")
    return replace(right, status=301).with_header("Location", f"{path}/{mark}{query}")


def actual(change: Callable[[Answer], Answer]) -> Reshape:
    return lambda request, right: right if request.call == "preflight" else change(right)


def _doubled(right: Answer) -> Answer:
    return replace(right, headers=(*right.headers, (ORIGIN, "*")))


_REFUSED = error(429, QUOTA)

FAULTS = (
    Fault("CORS-1", "preflight_needs_the_token", "B", reshape=status(401)),
    Fault("CORS-1", "preflight_not_found", "B", reshape=status(404)),
    Fault("CORS-1", "preflight_not_allowed", "B", reshape=status(405)),
    Fault("CORS-1", "preflight_moved", "B", reshape=preflight(_moved)),
    Fault(
        "CORS-1",
        "polls_not_preflighted",
        "B",
        reshape=lambda request, right: (
            replace(right, status=404) if request.call == "preflight" and "?" in request.target else right
        ),
    ),
    Fault("CORS-2", "no_origin", "B", reshape=preflight(lambda _, right: right.with_header(ORIGIN, None))),
    Fault(
        "CORS-2", "another_origin", "B", reshape=preflight(lambda _, right: right.with_header(ORIGIN, "http://a.test"))
    ),
    Fault("CORS-2", "null_refused", "B", reshape=preflight(_refuses_null), clients=WITH_FILE_PAGE),
    Fault("CORS-3", "authorization_not_allowed", "B", reshape=allowing("content-type")),
    Fault("CORS-3", "content_type_not_allowed", "B", reshape=allowing("authorization")),
    Fault("CORS-4", "asterisk", "", reshape=allowing("*"), clients=WITH_FILE_PAGE),
    Fault("CORS-5", "no_origin", "B", reshape=actual(lambda right: right.with_header(ORIGIN, None))),
    Fault("CORS-5", "doubled_origin", "B", reshape=actual(_doubled)),
    Fault(
        "CORS-6",
        "errors_hidden",
        "B",
        reshape=answers("sendMessage", _REFUSED.with_header(ORIGIN, None)),
        clients=("node", "browser"),
        error_shown=QUOTA,
    ),
    Fault(
        "CORS-7",
        "methods_do_not_matter",
        "",
        reshape=preflight(lambda _, right: right.with_header("Access-Control-Allow-Methods", "PUT")),
        clients=WITH_FILE_PAGE,
    ),
    Fault(
        "CORS-7",
        "a_body_does_not_matter",
        "",
        reshape=preflight(lambda _, right: replace(right, status=200, body=b"ok")),
        clients=WITH_FILE_PAGE,
    ),
)
