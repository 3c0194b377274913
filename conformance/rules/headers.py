"""What headers mean to the clients: media types, charsets, codings, freshness, and origins. Pure functions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from sendpoll.conformance.http.exchange import Request, Response
from sendpoll.core.http.coding import behind_first_member, unoffered
from sendpoll.core.http.limits import BODY_LIMIT

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - the grammar's word for a word, no secret
_MEDIA_TYPE = re.compile(rf"({_TOKEN})/({_TOKEN})((?:[ \t]*;[ \t]*{_TOKEN}=(?:{_TOKEN}|\"(?:[^\"\\]|\\.)*\"))*)[ \t]*")
_PARAMETER = re.compile(rf"({_TOKEN})=(?:({_TOKEN})|\"((?:[^\"\\]|\\.)*)\")")


@dataclass(frozen=True, slots=True)
class MediaType:
    """A parsed Content-Type."""

    name: str
    """Type and subtype in lower case."""
    charset: str | None


def media_type(response: Response | None) -> MediaType | None:
    """The answer's Content-Type, or None where there is none that parses (RFC 9110 section 8.3.1)."""
    value = response.header("content-type") if response else None
    parsed = _MEDIA_TYPE.fullmatch(value) if value else None
    if parsed is None:
        return None
    parameters = {name.lower(): plain or quoted for name, plain, quoted in _PARAMETER.findall(parsed.group(3))}
    return MediaType(f"{parsed.group(1)}/{parsed.group(2)}".lower(), parameters.get("charset"))


def media_type_fault(response: Response | None) -> str | None:
    """ENC-5: whether there is a Content-Type that does not parse."""
    value = response.header("content-type") if response else None
    return f"Content-Type {value!r} is no media type" if value is not None and media_type(response) is None else None


def type_fault(response: Response | None) -> str | None:
    """ENC-2: whether the type is another than application/json. One that does not parse is ENC-5's."""
    if response is None or media_type_fault(response):
        return None
    media = media_type(response)
    if media is None:
        return "the answer has no Content-Type"
    return None if media.name == "application/json" else f"Content-Type is {media.name}"


def charset_fault(response: Response | None) -> str | None:
    """ENC-3: whether a charset other than utf-8 is named."""
    media = media_type(response)
    if media is None or media.charset is None or media.charset.lower() == "utf-8":
        return None
    return f"Content-Type names the charset {media.charset!r}"


def coding_fault(request: Request, response: Response | None) -> str | None:
    """ENC-6: whether the body is coded in a way that the request did not offer."""
    coding = ", ".join(response.all("content-encoding")) if response else ""
    return unoffered(coding, request.header("accept-encoding") or "")


def members_fault(response: Response | None) -> str | None:
    """ENC-8: whether a part of a gzip body stands where a browser does not read."""
    coding = ", ".join(response.all("content-encoding")) if response else ""
    left = behind_first_member(response.body, coding, BODY_LIMIT) if response else 0
    return f"{left} bytes of the body stand behind its first gzip member" if left else None


def _directives(response: Response) -> dict[str, str]:
    pairs = (part.strip().partition("=") for value in response.all("cache-control") for part in value.split(","))
    return {name.lower(): value.strip('"') for name, _, value in pairs if name}


def _date(response: Response, name: str) -> datetime | None:
    value = response.header(name)
    try:
        parsed = parsedate_to_datetime(value) if value else None
    except (ValueError, OverflowError):
        return None
    return parsed.replace(tzinfo=UTC) if parsed and parsed.tzinfo is None else parsed


def may_be_stored(response: Response) -> bool:
    """Whether a cache may keep the answer at all (RFC 9111 section 5.2.2.5)."""
    return "no-store" not in _directives(response)


def freshness_fault(response: Response | None) -> str | None:
    """POLL-11: whether a cache may answer the same URL without asking the server (RFC 9111 section 4.2)."""
    if response is None:
        return None
    directives = _directives(response)
    if "no-store" in directives or "no-cache" in directives:
        return None
    if "max-age" in directives:
        age = directives["max-age"]
        return f"Cache-Control: max-age={age} keeps it fresh" if re.fullmatch(r"0*[1-9][0-9]*", age) else None
    now = _date(response, "date") or datetime.now(UTC)
    if response.header("expires") is not None:
        expires = _date(response, "expires")
        return f"Expires {response.header('expires')!r} lies ahead" if expires and expires > now else None
    changed = _date(response, "last-modified")
    if changed and (now - changed).total_seconds() > 10:
        return f"Last-Modified {response.header('last-modified')!r} alone lets a cache guess how long it is fresh"
    return None


def storing_fault(response: Response | None) -> str | None:
    """CACHE-1: whether no header tells caches to ask each time."""
    if response is None or {"no-store", "no-cache"} & _directives(response).keys():
        return None
    return "the answer has no Cache-Control: no-store or no-cache"


def origin_fault(response: Response | None, origin: str) -> str | None:
    """CORS-2, CORS-5 and CORS-6: whether a browser hides the answer from a page of this origin."""
    allowed = response.all("access-control-allow-origin") if response else []
    if not allowed:
        return f"there is no Access-Control-Allow-Origin, and the page's origin is {origin!r}"
    if len(allowed) > 1:
        return f"Access-Control-Allow-Origin stands {len(allowed)} times"
    if allowed[0] not in {"*", origin}:
        return f"Access-Control-Allow-Origin is {allowed[0]!r}, and the page's origin is {origin!r}"
    return None


def missing_header(request: Request, response: Response | None, *, asterisk: bool) -> str | None:
    """CORS-3: whether a preflight's answer lacks a header that was asked for; an asterisk may stand for all."""
    allowed = listed(response, "access-control-allow-headers")
    asked = (request.header("access-control-request-headers") or "").split(",")
    missing = [name for name in (one.strip().lower() for one in asked) if name and name not in allowed]
    if not missing or (asterisk and "*" in allowed):
        return None
    return f"Access-Control-Allow-Headers does not name {' and '.join(missing)}"


def unnamed_authorization(response: Response | None) -> str | None:
    """CORS-4: whether a preflight's answer does not name authorization itself."""
    allowed = listed(response, "access-control-allow-headers")
    told = f"Access-Control-Allow-Headers is {', '.join(sorted(allowed)) or 'absent'}, without authorization"
    return None if "authorization" in allowed else told


def listed(response: Response | None, name: str) -> set[str]:
    """The words of a header that holds a list, in lower case."""
    values = response.all(name) if response else []
    return {word.strip().lower() for value in values for word in value.split(",") if word.strip()}
