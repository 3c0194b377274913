"""Requests out of a report, which may be a stranger's: the API's calls alone, with nothing in them that acts elsewhere.

The token goes into Authorization and nowhere else. Of the headers those go out that a published client sends, and the
length of the body is told anew, so that one request cannot be two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

from sendpoll.conformance.http.exchange import Intent, Request
from sendpoll.conformance.results.report_json import ExchangeTold, Row
from sendpoll.conformance.server.probing.client_profiles import SENT_HEADERS
from sendpoll.core.target.headers import with_own
from sendpoll.core.target.target import Target
from sendpoll.core.text.secrets import MASK
from sendpoll.schemas.endpoints import Endpoint, endpoints

_AUTHORIZATION: Final = re.compile(rf"\A(Bearer +){re.escape(MASK)}\Z", re.IGNORECASE)


class ReplayError(ValueError):
    """There is nothing to replay, or nothing that may be sent; the message says why."""


def refuse_what_is_no_call(row: Row) -> None:
    """Raise ReplayError, with the place, where an exchange of a row is no call of the API."""
    for number, violation in enumerate(row["violations"]):
        for index, exchange in enumerate(violation["exchanges"]):
            told = exchange["request"]
            if call_of(told["method"], told["target"]) is None:
                raise ReplayError(
                    f"{row['id']}: violations/{number}/exchanges/{index}/request: {told['method']} "
                    f"{told['target'][:80]} is no call of the API, and only those are sent again; check it anew: "
                    f"sendpoll check URL --only {row['id']}"
                )


def call_of(method: str, target: str) -> Endpoint | None:
    """The endpoint that a request calls, or asks about as browsers do (OPTIONS); None where it is something else."""
    if not re.fullmatch(r"/[!-~]*", target) or "#" in target:
        return None
    path = target.partition("?")[0]
    if any(_leads_elsewhere(segment) for segment in path.split("/")):
        return None
    for endpoint in endpoints().values():
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(endpoint.path))
        if method in {endpoint.method, "OPTIONS"} and re.fullmatch(pattern, path):
            return endpoint
    return None


def _leads_elsewhere(segment: str) -> bool:
    """Whether a server may take a segment for a step up, or for several segments."""
    read = unquote(unquote(segment))
    return read in {".", ".."} or bool(re.search(r"[/\\;\x00-\x1f]", read))


def request_of(exchange: ExchangeTold, requirement: str, target: Target) -> Request | None:
    """The request as it was, with the user's own token in Authorization.

    None where the report holds only part of it: its body was cut, or what stood in it was a secret. A rule that broke
    did apply, so the request was one that had to succeed; only one rule asks for a workspace again. Raises ReplayError
    where it is no call of the API.
    """
    told = exchange["request"]
    call = call_of(told["method"], told["target"])
    if call is None:
        raise ReplayError(f"{told['method']} {told['target'][:80]} is no call of the API")
    body = None if told["body"] is None else told["body"].encode("utf-8", "surrogatepass")
    lengths = [value for name, value in told["headers"] if name.lower() == "content-length"]
    if MASK in told["target"] or (body is not None and (MASK.encode() in body or lengths != [str(len(body))])):
        return None
    return Request(
        method=told["method"],
        target=told["target"],
        headers=with_own(tuple(_headers(told["headers"], target)), target.headers),
        body=body,
        operation=call.operation if told["method"] == call.method else "",
        intent=Intent.USE,
        shape=exchange.get("shape", ""),
        again=requirement == "WS-2",
    )


def _headers(recorded: list[list[str]], target: Target) -> Iterator[tuple[str, str]]:
    """Each header once that a published client sends, with the server that is asked now and the user's token."""
    seen: set[str] = set()
    for name, value in recorded:
        if name.lower() in seen or name.lower() not in SENT_HEADERS:
            continue
        seen.add(name.lower())
        if name.lower() == "host":
            yield name, target.url.netloc
        elif name.lower() == "authorization":
            yield name, _AUTHORIZATION.sub(lambda found: f"{found[1]}{target.token}", value)
        elif re.fullmatch(r"[\t -~]*", value):
            yield name, value
