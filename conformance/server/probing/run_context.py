"""What a run works on: the target, the form in which it is spoken to, and the tasks that were sent to it."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sendpoll.conformance.http.exchange import Exchange, Failure, Intent
from sendpoll.conformance.server.inputs.prompts import prompt
from sendpoll.conformance.server.probing.api import Api
from sendpoll.conformance.server.probing.client_profiles import PROFILES, ClientProfile
from sendpoll.conformance.server.probing.created_resources import CreatedResources, identifier
from sendpoll.conformance.server.probing.recorder import BudgetSpentError, Recorder
from sendpoll.conformance.server.probing.task_readers import RecordedTask

_NEEDED = {"createConversation": "a conversation_id", "sendMessage": "a task_id", "pollTask": "data"}
"""What the answer of a call must have for the walk to go on."""


@dataclass(frozen=True, slots=True)
class Walk:
    """One walk through the calls, as far as it came."""

    shape: ClientProfile
    exchanges: tuple[Exchange, ...]
    conversation: str | None = None
    task: RecordedTask | None = None

    @property
    def complete(self) -> bool:
        """Whether a task was started and its first poll understood."""
        return self.task is not None and self.task.polls > 0

    @property
    def last(self) -> Exchange:
        """The exchange at which it ended."""
        return self.exchanges[-1]


class RunContext:
    """The state of one run. Made once; `prepare` finds out how the target can be spoken to."""

    def __init__(self, recorder: Recorder, *, seed: int, examples: int) -> None:
        self.recorder = recorder
        self.target = recorder.target
        self.seed = seed
        self.examples = examples
        self.api = Api(recorder, PROFILES[0])
        run = random.Random(seed).getrandbits(32)
        self.workspace = self.target.workspace or f"sendpoll-{run:08x}"
        self.walks: dict[str, Walk] = {}
        self.tasks: list[RecordedTask] = []
        self.trouble = ""
        """Why nothing can be said about the target; empty where something can."""
        self.stopped = ""
        """Why the walk through the calls could not be finished; empty where it was."""
        self._run = run
        self._sent: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    # ---- preflight ----

    def prepare(self) -> None:
        """Walk through the four calls in the form of one client after another until one of them gets through."""
        for shape in PROFILES:
            walk = self.walk(Api(self.recorder, shape), Intent.SHAPE)
            self.walks[shape.name] = walk
            if walk.complete:
                self.api = Api(self.recorder, shape)
                return
            self.trouble = self._hopeless(walk)
            if self.trouble:
                return
            if walk.last.ok or walk.last.failure is Failure.TIMEOUT:
                break
        walk = self.walk(self.api, Intent.USE)
        if walk.conversation and not walk.last.ok and walk.task is None:
            plain = self.walk(self.api, Intent.USE, "plain")  # it may be this message that it refuses, and no other
            if plain.complete:
                self.walks[self.api.shape.name] = plain
                return
        call = f"{walk.last.request.method} {walk.last.request.target}"
        lacks = _NEEDED.get(walk.last.request.operation) if walk.last.ok else None
        told = f"{walk.last.outcome}, without {lacks} that can be used" if lacks else walk.last.outcome
        self.stopped = f"{call} ended the walk through the calls: {told}"

    def _hopeless(self, walk: Walk) -> str:
        """Why this first exchange means that nothing can be said; empty where it does not."""
        first = walk.exchanges[0]
        url = self.target.base_url
        if first.failure is Failure.CONNECT:
            return f"cannot connect to {url}: {first.detail}"
        if first.failure is not None and first.response is None:
            return f"{url} gave no HTTP answer to POST /api/v1/workspaces: {first.outcome}"
        if first.status in {401, 403}:
            return f"{url} refused the token with {first.outcome}: give the right one with --token or SENDPOLL_TOKEN"
        if first.status == 404 and walk.last.status == 404:
            return f"{url} has no POST /api/v1/workspaces ({first.outcome}): is the base URL right?"
        return ""

    def walk(self, api: Api, intent: Intent, kind: str = "unicode") -> Walk:
        """Ensure the workspace, open a conversation, send a message of a kind and poll once, as far as it goes."""
        ensured = self.ensure_workspace(api, intent)
        walked = [ensured.trimmed()]
        if ensured.response is None:
            return Walk(api.shape, tuple(walked))
        opened, conversation = self.open_conversation(api, intent if ensured.ok else Intent.SHAPE)
        walked.append(opened.trimmed())
        if conversation is None:
            return Walk(api.shape, tuple(walked))
        try:
            sent, task = self.send(api, conversation, kind, intent=intent)
        except BudgetSpentError:
            return Walk(api.shape, tuple(walked), conversation)
        walked.append(sent.trimmed())
        if task is not None:
            task.poll(api, 0, "first")
            walked += [task.unusable] if task.unusable else []
        return Walk(api.shape, tuple(walked), conversation, task)

    # ---- the calls ----

    @property
    def created_resources(self) -> CreatedResources:
        """What the run made on the server."""
        return self.recorder.created_resources

    def ensure_workspace(self, api: Api, intent: Intent = Intent.USE) -> Exchange:
        """Ensure the run's workspace."""
        return api.ensure_workspace(self.workspace, intent=intent)

    def open_conversation(self, api: Api, intent: Intent = Intent.USE) -> tuple[Exchange, str | None]:
        """Open a conversation; its id, if the answer has one that can be used."""
        exchange = api.open_conversation(self.workspace, intent=intent)
        return exchange, identifier(exchange, "conversation_id")

    def send(
        self, api: Api, conversation: str, kind: str, *, intent: Intent = Intent.USE
    ) -> tuple[Exchange, RecordedTask | None]:
        """Send a message of a kind, with a marker of its own; its task, if the answer has one.

        Raises BudgetSpentError where no further message may be sent.
        """
        marker, turn = self._marker(api.shape, kind)
        message = f"{self.prompt(kind, turn)} [{marker}]"
        exchange = api.send_message(self.workspace, conversation, message, intent=intent)
        task_id = identifier(exchange, "task_id")
        if task_id is None:
            return exchange, None
        task = RecordedTask(
            task_id, conversation, kind, marker, message, api.shape.name, sent_at=exchange.timing.started
        )
        with self._lock:
            self.tasks.append(task)
        return exchange, task

    def prompt(self, kind: str, turn: int) -> str:
        """The text that asks for an answer of a kind, the first time (1) and later."""
        return self.target.prompts.get(kind) or prompt(kind, turn)

    def _marker(self, shape: ClientProfile, kind: str) -> tuple[str, int]:
        """A word that stands in no other message of this run, and the how manieth message of its kind it marks.

        Which word depends on the seed and on what is sent alone.
        """
        with self._lock:
            self._sent[shape.letter, kind] += 1
            turn = self._sent[shape.letter, kind]
            return f"sp{self._run:08x}{shape.letter}{kind[0]}{turn:02d}", turn

    @property
    def finished(self) -> Sequence[RecordedTask]:
        """The tasks that came to a final status."""
        return [task for task in self.tasks if task.is_over]
