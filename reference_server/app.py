"""The HTTP layer put together: routes over use cases, refusals through one table, CORS around all of it."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from sendpoll.reference_server.auth import Tokens
from sendpoll.reference_server.bodies import read_json
from sendpoll.reference_server.clock import Clock, SystemClock
from sendpoll.reference_server.console import console_routes
from sendpoll.reference_server.cors import Cors, CorsHeaders
from sendpoll.reference_server.errors import RefusalError, StorageError
from sendpoll.reference_server.metrics import metrics_route
from sendpoll.reference_server.pace import Pace
from sendpoll.reference_server.polling import PollEndpoint
from sendpoll.reference_server.responses import REFUSALS, ErrorAnswers, json_response
from sendpoll.reference_server.service import Service, running_service
from sendpoll.reference_server.settings import Settings
from sendpoll.schemas.endpoints import endpoints, openapi_document


def create_app(settings: Settings, clock: Clock | None = None) -> Starlette:
    """The whole server as an ASGI application. Its lifespan opens the database and raises StorageError if it cannot.

    All behaviour is in here, so a faulty variant for a test is an ASGI wrapper around it that passes the lifespan on.
    """
    clock = clock or SystemClock()
    rate = settings.requests_per_second
    tokens = Tokens(settings.tokens, Pace(rate, clock) if rate else None)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Counter[str]]]:
        async with running_service(settings, clock) as (service, database):
            poll = PollEndpoint(tokens, service, database)
            metrics = metrics_route(service, poll.times, errors.counts)
            app.router.routes[:] = [*_api_routes(Calls(tokens, service), poll), metrics, *_other_routes()]
            # For the protocol, which refuses what is no request before there is a request.
            yield {REFUSALS: errors.counts}

    cors = CorsHeaders(settings.cors_origins)
    errors = ErrorAnswers()

    async def broken_with_cors(request: Request, problem: Exception) -> Response:
        # Starlette answers what nothing caught from outside all middleware, so from outside CORS too.
        response = await errors.broken(request, problem)
        response.raw_headers.extend(cors.of(request.scope["headers"]))
        return response

    app = Starlette(
        lifespan=lifespan,
        middleware=[Middleware(Cors, origins=settings.cors_origins)],
        exception_handlers={
            RefusalError: errors.refused,
            StorageError: errors.storage_failed,
            ClientDisconnect: errors.client_left,
            HTTPException: errors.no_route,
            Exception: broken_with_cors,
        },
    )
    # No published client follows a redirect of a POST as a POST.
    app.router.redirect_slashes = False
    return app


class Calls:
    """The three POST calls."""

    def __init__(self, tokens: Tokens, service: Service) -> None:
        self._tokens = tokens
        self._service = service

    async def create_workspace(self, request: Request) -> Response:
        """Create or ensure a workspace."""
        owner = self._tokens.owner(request.scope["headers"])
        body = await read_json(request, "messages/create-workspace.request.json")
        is_new = await self._service.ensure_workspace(owner, body["workspace_id"])
        return json_response(201 if is_new else 200, {"workspace_id": body["workspace_id"]})

    async def create_conversation(self, request: Request) -> Response:
        """Open a conversation."""
        owner = self._tokens.owner(request.scope["headers"])
        await read_json(request, "messages/create-conversation.request.json", required=False)
        conversation = await self._service.open_conversation(owner, request.path_params["workspace_id"])
        return json_response(201, {"conversation_id": conversation})

    async def send_message(self, request: Request) -> Response:
        """Send a message and get its task."""
        owner = self._tokens.owner(request.scope["headers"])
        body = await read_json(request, "messages/send-message.request.json")
        task_id = await self._service.send_message(owner, request.path_params["workspace_id"], body)
        return json_response(202, {"task_id": task_id})


def _api_routes(calls: Calls, poll: PollEndpoint) -> list[Route]:
    handlers: dict[str, Callable[..., Any]] = {
        # Polls first: the router tries the routes in order, and nearly every request is a poll.
        "pollTask": poll,
        "sendMessage": calls.send_message,
        "createConversation": calls.create_conversation,
        "createWorkspace": calls.create_workspace,
    }
    known = endpoints()
    return [Route(known[name].path, handler, methods=[known[name].method]) for name, handler in handlers.items()]


def _other_routes() -> list[Route]:
    # Relative, so it is right under whatever name and port the server is reached.
    document = {**openapi_document(), "servers": [{"url": "/"}]}

    async def openapi(_request: Request) -> Response:
        return json_response(200, document)

    async def health(_request: Request) -> Response:
        return json_response(200, {"status": "ok"})

    return [
        Route("/openapi.json", openapi, methods=["GET"]),
        Route("/healthz", health, methods=["GET"]),
        *console_routes(),
    ]
