"""Request bodies: read up to a limit, parsed strictly, held to the contract's request schemas."""

from __future__ import annotations

import functools
import json
from typing import Any

import jsonschema_rs
from starlette.requests import Request

from sendpoll.reference_server.responses import (
    CodingError,
    InvalidError,
    MalformedError,
    MediaTypeError,
    TooLargeError,
)
from sendpoll.schemas.contract import document

BODY_LIMIT = 1024 * 1024
"""Bytes."""


async def read_json(request: Request, schema: str, *, required: bool = True) -> dict[str, Any]:
    """The request's body, valid by that schema of the contract; an absent one is `{}` unless it is required.

    Raises MediaTypeError, CodingError, TooLargeError, MalformedError or InvalidError, in this order of precedence.
    """
    if required:
        _require_json(request)
    body = await _read(request)
    if not body and not required:
        return {}
    _require_json(request)
    value = _parse(body)
    _validate(value, schema)
    valid: dict[str, Any] = value
    return valid


def _require_json(request: Request) -> None:
    media_type, *parameters = (part.strip().lower() for part in request.headers.get("content-type", "").split(";"))
    charset = next((part.removeprefix("charset=") for part in parameters if part.startswith("charset=")), "utf-8")
    if media_type != "application/json" or charset.strip('"') != "utf-8":
        raise MediaTypeError("unsupported_media_type", "Send the body as application/json in UTF-8.")
    if request.headers.get("content-encoding", "").strip().lower() not in {"", "identity"}:
        raise CodingError("unsupported_coding", "Send the body as it is, without a Content-Encoding.")


async def _read(request: Request) -> bytes:
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared[:20]) > BODY_LIMIT:
        raise _too_large()
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_LIMIT:
            raise _too_large()
    return bytes(body)


def _too_large() -> TooLargeError:
    return TooLargeError("body_too_large", f"The body is over {BODY_LIMIT} bytes.")


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as problem:
        # Not the parser's own words: for some of its errors they hold the body.
        raise MalformedError("malformed_json", "The body is not one JSON text in UTF-8.") from problem


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


@functools.cache
def _validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    # The mask keeps the refused value, which may be a megabyte, out of the message.
    return jsonschema_rs.Draft202012Validator(document(schema), mask="the value")


def _validate(value: Any, schema: str) -> None:
    try:
        error = next(iter(_validator(schema).iter_errors(value)), None)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as problem:
        raise InvalidError("invalid_text", "The body holds a surrogate without its partner.") from problem
    except (ValueError, RecursionError) as problem:
        # Validator and encoder have limits of their own, in some versions below the parser's.
        raise InvalidError("too_deep", "The body is nested too deeply.") from problem
    if error is not None:
        where = "/".join(map(str, error.instance_path)) or "the body"
        raise InvalidError("invalid_body", f"{where}: {error.message}")
