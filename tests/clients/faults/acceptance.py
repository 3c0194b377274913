"""Faults in what requests a server accepts: REQ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import chain

from sendpoll.conformance.client.serving.behaviour import Pieces, Refuse
from sendpoll.conformance.client.serving.messages import Answer, ReceivedRequest, error
from tests.clients.fault import Fault

API_CALLS = {"createWorkspace", "createConversation", "sendMessage", "pollTask"}
BOTH_DARTS = ("curl", "python", "node", "browser", "dart", "dart_http_1_3")


def refuses(status: int, when: Callable[[ReceivedRequest], bool]) -> Refuse:
    """That status for every API call of which `when` is true."""
    return lambda request: error(status, "refused") if request.call in API_CALLS and when(request) else None


def _has_no_framing(request: ReceivedRequest) -> bool:
    return request.method == "POST" and request.header("Content-Length") is None


def _waits(request: ReceivedRequest, response: bytes) -> Pieces:
    yield "hang" if _has_no_framing(request) else response


def _is_an_empty_body(request: ReceivedRequest) -> bool:
    return request.call == "createConversation" and request.header("Content-Length") == "0"


def _media_type(request: ReceivedRequest) -> str:
    return (request.header("Content-Type") or "").replace(" ", "").lower()


def _only_title_case(request: ReceivedRequest) -> ReceivedRequest:
    kept = tuple((name, value) for name, value in request.headers if name != name.lower())
    length = next((value for name, value in kept if name == "Content-Length"), "0")
    return replace(request, headers=kept, body=request.body[: int(length)])


def _has_no_cookie(request: ReceivedRequest) -> bool:
    return request.call != "createWorkspace" and request.header("Cookie") is None


def _with_cookie(request: ReceivedRequest, right: Answer) -> Answer:
    return right.with_header("Set-Cookie", "affinity=1; Path=/") if request.call == "createWorkspace" else right


def _came_by_another_connection(request: ReceivedRequest) -> bool:
    first: int = request.memory.setdefault("connection", request.connection)
    return request.connection != first


def _reads_as_latin_1(request: ReceivedRequest) -> ReceivedRequest:
    return replace(request, body=request.body.decode("latin-1").encode("utf-8"))


def _keeps_escapes(request: ReceivedRequest) -> ReceivedRequest:
    return replace(request, body=request.body.replace(rb"\u", rb"\\u"))


def _names_max_iterations(request: ReceivedRequest) -> bool:
    return request.call == "sendMessage" and b'"max_iterations"' in request.body


def _leaves_out_max_iterations(request: ReceivedRequest) -> bool:
    return request.call == "sendMessage" and b'"max_iterations"' not in request.body


def moved(status: int, calls: set[str]) -> Refuse:
    """A redirect of those calls to the same path with a slash at its end."""

    def to_slash(request: ReceivedRequest) -> Answer | None:
        if request.call not in calls or request.path.endswith("/"):
            return None
        path, mark, query = request.target.partition("?")
        return error(status, "moved").with_header("Location", f"{path}/{mark}{query}")

    return to_slash


def _without_slash(request: ReceivedRequest) -> ReceivedRequest:
    path, mark, query = request.target.partition("?")
    return replace(request, target=f"{path.removesuffix('/')}{mark}{query}")


def _workspaces_moved_to_their_list(request: ReceivedRequest) -> Answer | None:
    if (request.method, request.path) == ("GET", "/api/v1/workspaces/"):
        return replace(error(200, "none yet"), body=b"[]")
    return moved(301, {"createWorkspace"})(request)


_REQUESTS = (
    Fault("REQ-1", "411_without_length", "C", refuse=refuses(411, _has_no_framing)),
    Fault("REQ-1", "waits_for_a_body_without_length", "C", deliver=_waits),
    Fault("REQ-2", "empty_body_is_malformed_json", "PNBD", refuse=refuses(400, _is_an_empty_body)),
    Fault(
        "REQ-3",
        "charset_forbidden",
        "D",
        refuse=refuses(415, lambda request: "charset" in _media_type(request)),
        clients=BOTH_DARTS,
    ),
    Fault(
        "REQ-3",
        "charset_required",
        "CPNBD",
        refuse=refuses(415, lambda request: _media_type(request) == "application/json"),
    ),
    Fault("REQ-4", "accept_required", "D", refuse=refuses(406, lambda request: request.header("Accept") is None)),
    Fault(
        "REQ-4",
        "json_in_accept_required",
        "CPNBD",
        refuse=refuses(406, lambda request: "json" not in (request.header("Accept") or "")),
    ),
    Fault(
        "REQ-4",
        "connection_header_required",
        "CD",
        refuse=refuses(400, lambda request: request.header("Connection") is None),
    ),
    Fault("REQ-4", "header_names_case_sensitive", "ND", rewrite=_only_title_case),
    Fault(
        "REQ-4", "host_must_be_first", "D", refuse=refuses(400, lambda request: request.headers[0][0].lower() != "host")
    ),
    Fault(
        "REQ-4",
        "user_agent_of_a_browser_required",
        "CPND",
        refuse=refuses(403, lambda request: "Mozilla" not in (request.header("User-Agent") or "")),
    ),
    Fault("REQ-5", "cookie_required", "CPNBD", refuse=refuses(403, _has_no_cookie), reshape=_with_cookie),
    Fault("REQ-5", "one_connection_required", "CPND", refuse=refuses(403, _came_by_another_connection)),
    Fault("REQ-6", "raw_utf8_refused", "CNBD", refuse=refuses(400, lambda request: not request.body.isascii())),
    Fault("REQ-6", "raw_utf8_read_as_latin_1", "CNBD", rewrite=_reads_as_latin_1),
    Fault("REQ-6", "escapes_refused", "P", refuse=refuses(400, lambda request: rb"\u" in request.body)),
    Fault("REQ-6", "escapes_kept_as_text", "P", rewrite=_keeps_escapes),
    Fault("REQ-7", "max_iterations_refused", "P", refuse=refuses(422, _names_max_iterations)),
    Fault("REQ-7", "max_iterations_required", "CNBD", refuse=refuses(422, _leaves_out_max_iterations)),
    Fault(
        "REQ-8",
        "another_spelling_of_bearer_required",
        "CPNBD",
        refuse=refuses(401, lambda request: not (request.header("Authorization") or "").startswith("bearer ")),
    ),
)

_POSTS = API_CALLS - {"pollTask"}
_REDIRECTS = (
    Fault("REQ-9", "posts_moved_301", "CPNBD", refuse=moved(301, _POSTS), rewrite=_without_slash),
    Fault("REQ-9", "posts_moved_307", "CD", refuse=moved(307, _POSTS), rewrite=_without_slash),
    Fault("REQ-9", "polls_moved_307", "C", refuse=moved(307, {"pollTask"}), rewrite=_without_slash),
    Fault("REQ-9", "workspaces_moved_to_their_list", "CPNBD", refuse=_workspaces_moved_to_their_list),
)

_PLACES = (Fault("REQ-11", "ipv6_only", "PND", host="::1"),)

FAULTS = tuple(chain(_REQUESTS, _REDIRECTS, _PLACES))
