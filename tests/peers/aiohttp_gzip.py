"""aiohttp: gzip where it is offered, and offsets that are microseconds since the task began."""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from typing import Any

from aiohttp import web

routes = web.RouteTableDef()
TOKENS = frozenset(sys.argv[2:])
workspaces: set[tuple[str, str]] = set()
conversations: dict[str, tuple[str, str, asyncio.Lock]] = {}
tasks: dict[str, dict[str, Any]] = {}
background: set[asyncio.Task[None]] = set()


def problem(status: int, detail: str, **headers: str) -> web.Response:
    response = web.json_response({"status": status, "detail": detail}, status=status, content_type="application/json")
    response.headers.update({key.replace("_", "-"): value for key, value in headers.items()})
    return response


@web.middleware
async def outer(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        if request.method == "OPTIONS":
            response = web.Response(status=204)
        else:
            response = await handler(request)
    except web.HTTPMethodNotAllowed as refusal:
        response = problem(405, "method not allowed", Allow=", ".join(sorted(refusal.allowed_methods)))
    except web.HTTPException as refusal:
        response = problem(refusal.status, refusal.reason)
    response.headers["Access-Control-Allow-Origin"] = request.headers.get("Origin", "*")
    response.headers["Access-Control-Allow-Headers"] = "content-type,authorization,x-request-id"
    response.headers["Access-Control-Allow-Credentials"] = "true"
    response.headers["Vary"] = "Origin, Accept-Encoding"
    response.headers["Cache-Control"] = "no-store"
    if "gzip" in request.headers.get("Accept-Encoding", "") and response.body:
        response.enable_compression(web.ContentCoding.gzip)
    return response


def who(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme == "Bearer" and token in TOKENS else ""


def locked() -> web.Response:
    return problem(401, "a token is needed", WWW_Authenticate='Bearer realm="agents"')


async def parsed(request: web.Request) -> Any:
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    try:
        return json.loads((await request.read()).decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise web.HTTPBadRequest from error


@routes.post("/api/v1/workspaces")
async def ensure(request: web.Request) -> web.Response:
    if not (owner := who(request)):
        return locked()
    body = await parsed(request)
    name = body.get("workspace_id") if isinstance(body, dict) else None
    if (
        not isinstance(name, str)
        or not 0 < len(name) <= 64
        or not name.replace("-", "").replace(".", "").replace("_", "").replace("~", "").isalnum()
        or not name.isascii()
        or not name[0].isalnum()
    ):
        return problem(400, "workspace_id is a name of up to 64 letters, digits, dots, dashes and tildes")
    workspaces.add((owner, name))
    return web.json_response(True)


@routes.post("/api/v1/workspaces/{workspace}/conversations")
async def begin(request: web.Request) -> web.Response:
    if not (owner := who(request)):
        return locked()
    if request.can_read_body and not isinstance(await parsed(request), dict):
        return problem(400, "the body is an object, or nothing")
    workspace = request.match_info["workspace"]
    if (owner, workspace) not in workspaces:
        return problem(404, "unknown workspace")
    name = str(uuid.uuid4())
    conversations[name] = (owner, workspace, asyncio.Lock())
    return web.json_response({"conversation_id": name, "created_at": time.time(), "links": {"self": None}})


@routes.post("/api/v1/workspaces/{workspace}/messages")
async def say(request: web.Request) -> web.Response:
    if not (owner := who(request)):
        return locked()
    body = await parsed(request)
    if not isinstance(body, dict) or not isinstance(body.get("conversation_id"), str) or not body["conversation_id"]:
        return problem(400, "conversation_id is missing")
    text: Any = body.get("message")
    if not valid(text, body.get("max_iterations", 1), body.get("run_mode", "")):
        return problem(400, "message, max_iterations or run_mode is not what it should be")
    known = conversations.get(body["conversation_id"])
    if known is None or known[:2] != (owner, request.match_info["workspace"]):
        return problem(404, "unknown conversation")
    key = uuid.uuid4().hex
    tasks[key] = {"owner": owner, "log": [], "born": time.monotonic_ns(), "status": "running"}
    job = asyncio.create_task(run(tasks[key], known[2], text))
    background.add(job)
    job.add_done_callback(background.discard)
    return web.json_response({"task_id": key}, status=201)


def valid(text: Any, steps: Any, mode: Any) -> bool:
    numeric = isinstance(steps, (int, float)) and not isinstance(steps, bool) and steps >= 1 and steps == steps // 1
    whole = isinstance(text, str) and not any("\ud800" <= sign <= "\udfff" for sign in text)
    return numeric and whole and isinstance(mode, str)


async def run(task: dict[str, Any], turn: asyncio.Lock, text: str) -> None:
    async with turn:
        pieces = [text[at : at + 3] for at in range(0, len(text), 3)]
        for piece in ("Écho: « ", *pieces, " » 🎈"):
            await asyncio.sleep(min(0.03, 1 / len(pieces)) if pieces else 0.03)
            record(task, "text_chunk", {"content": piece, "tokens": 1})
            record(task, "usage.delta", None)
        task["status"] = "done"


def record(task: dict[str, Any], kind: str, data: Any) -> None:
    now = (time.monotonic_ns() - task["born"]) // 1000
    at = max(now, task["log"][-1][0] + 1) if task["log"] else max(now, 1)
    task["log"].append((at, {"type": kind, "data": data, "at": at}))


@routes.get("/api/v1/tasks/{task}")
async def poll(request: web.Request) -> web.Response:
    if not (owner := who(request)):
        return locked()
    task = tasks.get(request.match_info["task"])
    if task is None or task["owner"] != owner:
        return problem(404, "unknown task")
    asked = request.query.getall("from", ["0"])
    if len(asked) > 1 or not asked[0].isascii() or not asked[0].isdigit() or len(asked[0]) > 15:
        return problem(400, "from is a single offset")
    offset, log = int(asked[0]), task["log"]
    last = log[-1][0] if log else 0
    if offset > last:
        return problem(400, "from lies ahead of the task")
    events = [event for at, event in log if at > offset]
    return web.json_response(
        {"data": {"task": {"status": task["status"]}, "status": task["status"], "next_offset": last, "events": events}}
    )


async def main() -> None:
    app = web.Application(middlewares=[outer], client_max_size=2**20)
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", int(sys.argv[1]))
    await site.start()
    print("ready", runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
