"""FastAPI on uvicorn: answers 200 to everything, holds a poll without news for up to 20 s, adds keys of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field

HOLD = 20.0


class Utf8(JSONResponse):
    media_type = "application/json; charset=utf-8"


class NewWorkspace(BaseModel):
    model_config = ConfigDict(strict=True)
    workspace_id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._~-]{0,63}$")


class NewMessage(BaseModel):
    model_config = ConfigDict(strict=True)
    conversation_id: str = Field(min_length=1)
    message: str
    run_mode: str = ""
    max_iterations: int = Field(default=1, ge=1)


@dataclass
class Job:
    owner: str
    message: str
    events: list[dict[str, Any]] = field(default_factory=list)
    over: bool = False
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)


@dataclass
class Talk:
    owner: str
    workspace: str
    waiting: asyncio.Queue[Job] = field(default_factory=asyncio.Queue)


app = FastAPI(default_response_class=Utf8, redirect_slashes=False)
app.add_middleware(
    CORSMiddleware, allow_origins=["*"], allow_methods=["GET", "POST"], allow_headers=["Authorization", "Content-Type"]
)
workspaces: set[tuple[str, str]] = set()
talks: dict[str, Talk] = {}
jobs: dict[str, Job] = {}
workers: set[asyncio.Task[None]] = set()


@app.middleware("http")
async def limits(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    if int(request.headers.get("content-length", "0")) > 1_000_000:
        response: Response = Utf8({"detail": "too large"}, 413)
    else:
        response = await call_next(request)
    response.headers["Cache-Control"] = "no-store"
    return response


@app.exception_handler(RequestValidationError)
async def invalid(_: Request, error: RequestValidationError) -> Response:
    return Utf8({"detail": [str(each["msg"]).encode("ascii", "replace").decode() for each in error.errors()]}, 422)


@app.exception_handler(404)
@app.exception_handler(401)
async def refused(_: Request, error: HTTPException) -> Response:
    return Utf8({"detail": error.detail}, error.status_code, error.headers)


def user(found: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]) -> str:
    if found is None or found.credentials not in sys.argv[2:]:
        raise HTTPException(401, "Not authenticated", {"WWW-Authenticate": "Bearer"})
    return found.credentials


User = Annotated[str, Depends(user)]


@app.post("/api/v1/workspaces")
async def create_workspace(owner: User, body: NewWorkspace) -> dict[str, Any]:
    workspaces.add((owner, body.workspace_id))
    return {"data": {"id": body.workspace_id, "limits": {"conversations": None}}}


@app.post("/api/v1/workspaces/{workspace}/conversations")
async def create_conversation(owner: User, workspace: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    if (owner, workspace) not in workspaces:
        raise HTTPException(404, "no such workspace")
    del body
    name = f"conv-{secrets.token_hex(8)}"
    talks[name] = talk = Talk(owner, workspace)
    worker = asyncio.create_task(work(talk))
    workers.add(worker)
    return {"conversation_id": name, "workspace": {"id": workspace}, "__proto__": {}, "data": None}


@app.post("/api/v1/workspaces/{workspace}/messages")
async def create_message(owner: User, workspace: str, body: NewMessage) -> dict[str, Any]:
    talk = talks.get(body.conversation_id)
    if talk is None or (talk.owner, talk.workspace) != (owner, workspace):
        raise HTTPException(404, "no such conversation")
    name = f"task.{secrets.token_hex(8)}~1"
    jobs[name] = job = Job(owner, body.message)
    await talk.waiting.put(job)
    return {"task_id": name, "status": "accepted", "next_offset": "see poll"}


async def work(talk: Talk) -> None:
    while True:
        job = await talk.waiting.get()
        await tell(job, {"type": "plan", "data": {"steps": [{"name": "echo", "data": {"content": None}}]}})
        for word in ["🤖 ", *job.message.split(" "), "· 完"]:
            await asyncio.sleep(0.02)
            await tell(job, {"type": "text_chunk", "data": {"content": word + " ", "data": {}}, "id": len(job.events)})
        async with job.changed:
            job.over = True
            job.changed.notify_all()


async def tell(job: Job, event: dict[str, Any]) -> None:
    async with job.changed:
        job.events.append(event)
        job.changed.notify_all()


@app.get("/api/v1/tasks/{name}")
async def read_task(
    owner: User, name: str, offsets: Annotated[list[str] | None, Query(alias="from")] = None
) -> dict[str, Any]:
    job = jobs.get(name)
    if job is None or job.owner != owner:
        raise HTTPException(404, "no such task")
    text = "".join(offsets) if offsets else "0"
    if (offsets and len(offsets) > 1) or not text.isdecimal() or not text.isascii() or len(text) > 9:
        raise HTTPException(400, "from is one offset")
    offset = int(text)
    if offset > len(job.events):
        raise HTTPException(400, "from is ahead of the task")
    async with job.changed:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(job.changed.wait_for(lambda: job.over or len(job.events) > offset), HOLD)
        status = "succeeded" if job.over else "running"
        return {
            "data": {
                "status": status,
                "next_offset": len(job.events),
                "events": job.events[offset:],
                "usage": {"status": "running", "events": len(job.events)},
            },
            "status": "ok",
            "events": None,
        }


def main() -> None:
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    print("ready", listener.getsockname()[1], flush=True)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off"))
    server.run([listener])
    os._exit(0)


if __name__ == "__main__":
    main()
