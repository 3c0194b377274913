"""Builds the bytes of a user's requests. What is the same in all of them is built once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sendpoll.core.target.headers import with_own
from sendpoll.core.target.proxies import Proxy
from sendpoll.core.target.target import Target
from sendpoll.schemas.endpoints import endpoints

ACCEPTED_CODING: Final = "gzip"
_BEARER: Final = b"\r\nAuthorization: Bearer "


class RequestBuilder:
    """The requests of the four calls as bytes, for one target."""

    def __init__(self, target: Target, options: Mapping[str, object] | None = None) -> None:
        """`options` are the optional members of every message, such as `run_mode`."""
        proxy = target.proxy
        calls = endpoints()
        self._workspace = calls["createWorkspace"]
        self._conversation = calls["createConversation"]
        self._message = calls["sendMessage"]
        self._poll = calls["pollTask"]
        absolute = f"http://{authority(target)}" if proxy and not target.is_tls else ""
        self._options = dict(options or {})
        self._prefix = f"{absolute}{target.path_prefix}"
        self.token = target.token
        self._token = target.token.encode("latin-1")
        self._headers = self._common_headers(target, proxy)
        self._poll_end = f" HTTP/1.1\r\n{self._headers}\r\n".encode("latin-1")

    def ensure_workspace(self, workspace: str) -> bytes:
        """POST that creates the workspace, or finds it."""
        return self._post(self._workspace.target({}), {"workspace_id": workspace})

    def open_conversation(self, workspace: str) -> bytes:
        """POST without a body, as the published clients send it."""
        target = self._conversation.target({"workspace_id": workspace})
        head = f"POST {self._prefix}{target} HTTP/1.1\r\n{self._headers}Content-Length: 0\r\n\r\n"
        return head.encode("latin-1")

    def send_message(self, workspace: str, conversation: object, message: str) -> bytes:
        """POST of a message. The conversation's id goes back as it came."""
        body = {"conversation_id": conversation, "message": message, **self._options}
        return self._post(self._message.target({"workspace_id": workspace}), body)

    def poll(self, task: str) -> PollRequest:
        """The polls of a task."""
        target = self._poll.target({"task_id": task}, "from=")
        return PollRequest(f"GET {self._prefix}{target}".encode("latin-1"), self._poll_end)

    def under_own_token(self, request: bytes) -> bytes:
        """A request that a builder made for the same target, perhaps with another token."""
        begin = request.find(_BEARER)
        end = request.find(b"\r\n", begin + len(_BEARER))
        return request if begin < 0 else b"%b%b%b%b" % (request[:begin], _BEARER, self._token, request[end:])

    def _post(self, target: str, body: dict[str, Any]) -> bytes:
        raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        head = (
            f"POST {self._prefix}{target} HTTP/1.1\r\n{self._headers}"
            f"Content-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n"
        )
        return head.encode("latin-1") + raw

    @staticmethod
    def _common_headers(target: Target, proxy: Proxy | None) -> str:
        lines = [
            ("Host", authority(target)),
            ("Authorization", f"Bearer {target.token}"),
            ("Accept", "*/*"),
            ("Accept-Encoding", ACCEPTED_CODING),
            ("User-Agent", "sendpoll-load"),
        ]
        lines = [*with_own(tuple(lines), target.headers)]
        if proxy and proxy.authorization and not target.is_tls:
            lines.append(("Proxy-Authorization", proxy.authorization))
        return "".join(f"{name}: {value}\r\n" for name, value in lines)


@dataclass(frozen=True, slots=True)
class PollRequest:
    """The polls of one task: all bytes but the offset's are fixed."""

    before: bytes
    after: bytes

    def at(self, offset: int) -> bytes:
        """The request for the events after that offset."""
        return b"%b%d%b" % (self.before, offset, self.after)


def authority(target: Target) -> str:
    """What Host carries: the port only where the URL names one, an IPv6 address in brackets."""
    host = f"[{target.host}]" if ":" in target.host else target.host
    return host if target.url.port is None else f"{host}:{target.url.port}"
