"""What a run works on: the target, the form in which it is spoken to, and the tasks that were sent to it."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sendpoll.conformance.http.exchange import Exchange, Failure, Intent
from sendpoll.conformance.server.inputs.prompts import prompt
from sendpoll.conformance.server.probing.admission import Admission
from sendpoll.conformance.server.probing.api import Api
from sendpoll.conformance.server.probing.client_profiles import PROFILES, ClientProfile
from sendpoll.conformance.server.probing.created_resources import CreatedResources, identifier
from sendpoll.conformance.server.probing.endings import BudgetSpentError, NoTimeError
from sendpoll.conformance.server.probing.going_down import RESTART_MESSAGES, Downtime, RestartOrder
from sendpoll.conformance.server.probing.in_flight import SILENT_PATIENCE, Flight
from sendpoll.conformance.server.probing.listener import Listener, Silence
from sendpoll.conformance.server.probing.message_plan import plan_messages
from sendpoll.conformance.server.probing.recorder import Recorder
from sendpoll.conformance.server.probing.refusals import UNAUTHORIZED, is_busy
from sendpoll.conformance.server.probing.second_tries import Wavering, find_wavering, open_with_a_body
from sendpoll.conformance.server.probing.task_readers import RecordedTask
from sendpoll.core.target.target import Target
from sendpoll.core.target.traits import seconds_in_words

PROBES_TAKE = 60.0
"""Seconds that all probes take of a server that is asked gently."""
_KEPT = 0.25
"""What part of a run's time is kept for them at most."""
_MARGIN = 1.1
"""How much longer than others before it a task may take."""
_ASKING_SOON, _ASKING_AGAIN = (1.0, 2.0, 4.0), 5.0
"""Seconds before each further try of a message for which the agent seems to be busy with somebody else's."""
_PROXY_ASKS = 407
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

    def __init__(
        self,
        recorder: Recorder,
        *,
        seed: int,
        examples: int,
        only: Iterable[str] = (),
        restart: RestartOrder | None = None,
    ) -> None:
        """`restart` says how the target is restarted, where the rows about that are judged."""
        self.recorder = recorder
        self.restart = restart
        self.downtime: Downtime | None = None
        """What was seen of the restart, once it was ordered."""
        self.seed = seed
        self.examples = examples
        self.api = Api(recorder, PROFILES[0])
        self.plan = plan_messages(self.target.max_messages - (RESTART_MESSAGES if restart else 0), only)
        self.listener: Listener = Silence()
        self.was_short = False
        """Whether time or messages ran out before all was done."""
        self._told = 0.0
        recorder.held = self.plan.held + (RESTART_MESSAGES if restart else 0)
        run = random.Random(seed).getrandbits(32)
        self.workspace = self.target.workspace or f"sendpoll-{run:08x}"
        self.walks: dict[str, Walk] = {}
        self.tasks: list[RecordedTask] = []
        self.wavering: Wavering | None = None
        """What shows that the target is unsteady, if it is."""
        self.opened_with_body: Exchange | None = None
        """How a conversation was opened with a body, where none is opened without."""
        self.refused_without_body: tuple[Walk, ...] = ()
        """The walks that ended there before."""
        self.trouble = ""
        """Why nothing can be said about the target; empty where something can."""
        self.stopped = ""
        """Why the walk through the calls could not be finished; empty where it was."""
        self.in_flight = recorder.in_flight
        self.admission = Admission(self.in_flight, self._lane, self.target.traits, spread=self.target.workspace is None)
        self._homes: dict[str, str] = {}
        """Conversation to its workspace, where that is not the run's first."""
        self._run = run
        self._sent: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    @property
    def target(self) -> Target:
        """The target, with the token that it takes now."""
        return self.recorder.target

    def _lane(self, number: int) -> str:
        """The workspace of a number: the run's own, and others beside it."""
        return self.workspace if number == 0 else f"{self.workspace}-{number + 1}"

    def ensure_home(self, conversation: str) -> Exchange:
        """Ensure again the workspace of a conversation."""
        return self.api.ensure_workspace(self._homes.get(conversation, self.workspace))

    # ---- time ----

    def listen(self, listener: Listener, forecast: Callable[[RunContext], str]) -> None:
        """Tell a listener how the run goes on, and early how long it will take where tasks are slow."""
        self.listener = listener

        def tell(flight: Flight) -> None:
            tempo = self.recorder.tempo
            changed = tempo.is_slow and abs(self._told - tempo.seconds / self.admission.at_once) > self._told / 2
            if flight.is_over and changed:
                self._told = tempo.seconds / self.admission.at_once
                listener.note(forecast(self))

        self.in_flight.on_news(tell)

    def _pause_or_leave(self, seconds: float) -> None:
        """Wait for a turn, but not where a task that begins now could not be read to its end."""
        self.recorder.pause(seconds)
        self.recorder.resending.look_after_unread()
        if not self.has_time_for(1):
            self.was_short = True
            raise NoTimeError(f"a task of {seconds_in_words(self.recorder.tempo.seconds)} would not be over in time")

    def has_time_for(self, tasks: int) -> bool:
        """Whether so many tasks, one after another, could be read to their end before what is kept for probes."""
        tempo = self.recorder.tempo
        if not tempo.is_slow:
            return True
        self.recorder.kept_for_probes = min(PROBES_TAKE, _KEPT * self.target.timeouts.run)
        return self.recorder.remaining() - self.recorder.kept_for_probes >= tasks * _MARGIN * tempo.seconds

    # ---- preflight ----

    def prepare(self) -> None:
        """Walk through the four calls in the form of one client after another until one of them gets through."""
        if self._walk_through() or self.trouble:
            return
        if all(walk.conversation and is_busy(walk.last) for walk in self.walks.values()):
            self._wait_for_others()
            if self.trouble or self.walks[self.api.shape.name].complete:
                return
        walk = next(reversed(self.walks.values()))
        self.wavering = find_wavering(self.recorder, walk.last)
        if self.wavering is not None:
            self.stopped = self.wavering.sentence
            return
        self.opened_with_body = open_with_a_body(self.api, self.workspace, walk.last)
        if self.opened_with_body is not None:
            self.refused_without_body = tuple(self.walks.values())
            self.walks.clear()
            if self._walk_through() or self.trouble:
                return
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

    def _wait_for_others(self) -> None:
        """Send the message until it is taken that is refused in each form as by a busy agent, though nothing runs here.

        It may be busy for somebody else, or with a task that an earlier run left.
        """
        walk = self.walks[self.api.shape.name]
        conversation, exchange = walk.conversation or "", walk.last
        patience = min(SILENT_PATIENCE * self.target.timeouts.task, self.recorder.remaining() / 2)
        why = (
            f"{exchange.request.method} {exchange.request.target} is answered {exchange.outcome}, as by an agent that "
        )
        why += "is busy, though no task of this run runs"
        self.listener.note(f"{why}; trying again for {seconds_in_words(patience)}")
        give_up = time.monotonic() + patience
        for pause in itertools.chain(_ASKING_SOON, itertools.repeat(_ASKING_AGAIN)):
            if time.monotonic() + pause > give_up:
                self.trouble = f"{why}, for {seconds_in_words(patience)}"
                return
            self.recorder.pause(pause)
            exchange, task = self.send(self.api, conversation, "unicode", intent=Intent.SHAPE, patient=False)
            if not is_busy(exchange):
                break
        opened = Walk(walk.shape, walk.exchanges[:-1], conversation)
        self.walks = {walk.shape.name: self._polled(opened, exchange, task)}

    def _walk_through(self) -> bool:
        """Whether the form of a client got through."""
        for shape in PROFILES:
            walk = self.walk(Api(self.recorder, shape), Intent.SHAPE)
            self.walks[shape.name] = walk
            if walk.complete:
                self.api = Api(self.recorder, shape)
                return True
            self.trouble = self._hopeless(walk)
            if self.trouble:
                return False
            if walk.exchanges[0].status in UNAUTHORIZED:
                continue  # the token is wrong only if no client's form is taken
            if walk.last.ok or walk.last.failure is Failure.TIMEOUT:
                break
        self.trouble = self._refused_token()
        return False

    def _hopeless(self, walk: Walk) -> str:
        """Why this first exchange means that nothing can be said; empty where it does not."""
        first = walk.exchanges[0]
        url = self.target.base_url
        if first.failure is Failure.CONNECT:
            return f"cannot connect to {url}: {first.detail}"
        if first.failure is not None and first.response is None:
            return f"{url} gave no HTTP answer to POST /api/v1/workspaces: {first.outcome}"
        if first.status == _PROXY_ASKS:
            return f"the proxy on the way to {url} asks for credentials ({first.outcome}): give them in its URL"
        if first.status == 404 and walk.last.status == 404:
            return f"{url} has no POST /api/v1/workspaces ({first.outcome}): is the base URL right?"
        return ""

    def _refused_token(self) -> str:
        """Why the token is wrong, where the first call is refused in the form of every client; else empty."""
        firsts = [walk.exchanges[0] for walk in self.walks.values()]
        if not all(first.status in UNAUTHORIZED for first in firsts):
            return ""
        told = f"{self.target.base_url} refused the token with {firsts[0].outcome}"
        return f"{told}: give the right one with --token or SENDPOLL_TOKEN"

    def walk(self, api: Api, intent: Intent, kind: str = "unicode", priority: int = 0) -> Walk:
        """Ensure a workspace, open a conversation, send a message of a kind and poll once, as far as it goes."""
        with self.admission.turn(priority, self._pause_or_leave) as workspace:
            ensured = api.ensure_workspace(workspace, intent=intent)
            walked = [ensured.trimmed()]
            if ensured.response is None:
                return Walk(api.shape, tuple(walked))
            opened, conversation = self.open_conversation(api, intent if ensured.ok else Intent.SHAPE, workspace)
            walked.append(opened.trimmed())
            if conversation is None:
                return Walk(api.shape, tuple(walked))
            try:
                sent, task = self.send(api, conversation, kind, intent=intent, patient=False)
            except BudgetSpentError:
                return Walk(api.shape, tuple(walked), conversation)
        if task is None and self._was_busy(workspace, sent):
            sent, task = self.start(api, kind, priority, intent=intent)
        return self._polled(Walk(api.shape, tuple(walked), conversation), sent, task)

    def _polled(self, walk: Walk, sent: Exchange, task: RecordedTask | None) -> Walk:
        """A walk that had come to its conversation, with what its message came to and the first poll of its task."""
        walked = [*walk.exchanges, sent.trimmed()]
        if task is not None:
            task.poll(Api(self.recorder, walk.shape), 0, "first")
            walked += [task.unusable] if task.unusable else []
        return Walk(walk.shape, tuple(walked), walk.conversation, task)

    # ---- the calls ----

    @property
    def created_resources(self) -> CreatedResources:
        """What the run made on the server."""
        return self.recorder.created_resources

    def ensure_workspace(self, api: Api, intent: Intent = Intent.USE) -> Exchange:
        """Ensure the run's workspace."""
        return api.ensure_workspace(self.workspace, intent=intent)

    def open_conversation(
        self, api: Api, intent: Intent = Intent.USE, workspace: str | None = None
    ) -> tuple[Exchange, str | None]:
        """Open a conversation in a workspace, or in the run's own; its id, if the answer has one that can be used."""
        exchange = api.open_conversation(workspace or self.workspace, intent=intent)
        conversation = identifier(exchange, "conversation_id")
        if conversation is not None:
            self._homes[conversation] = workspace or self.workspace
        return exchange, conversation

    def start(
        self,
        api: Api,
        kind: str,
        priority: int,
        *,
        intent: Intent = Intent.USE,
        before_message: Callable[[str], object] | None = None,
    ) -> tuple[Exchange, RecordedTask | None]:
        """Send a message of a kind in a conversation of its own, as soon as the server has room for its task.

        `before_message` is called with the conversation. What opened none is told in place of the message. Raises
        BudgetSpentError, RunOverError and TargetLostError.
        """
        while True:
            with self.admission.turn(priority, self._pause_or_leave) as workspace:
                if workspace not in self.recorder.known_workspaces:
                    api.ensure_workspace(workspace)
                opened, conversation = self.open_conversation(api, intent, workspace)
                if conversation is None:
                    return opened, None
                if before_message is not None:
                    before_message(conversation)
                sent, task = self.send(api, conversation, kind, intent=intent, patient=False)
            if task is not None or not self._was_busy(workspace, sent):
                return sent, task

    def _was_busy(self, workspace: str, exchange: Exchange) -> bool:
        """Whether a message was refused because other tasks of this run ran."""
        if not is_busy(exchange) or not self.in_flight.running():
            return False
        self.admission.refused(workspace, exchange)
        return True

    def send(
        self, api: Api, conversation: str, kind: str, *, intent: Intent = Intent.USE, patient: bool = True
    ) -> tuple[Exchange, RecordedTask | None]:
        """Send a message of a kind, with a marker of its own; its task, if the answer has one.

        A long one may be refused for its length, which says nothing against a server: no published client sends such.
        Where another task runs, a refusal is waited out if `patient`. Raises BudgetSpentError where no further message
        may be sent.
        """
        marker, turn = self._marker(api.shape, kind)
        message = f"{self.prompt(kind, turn)} [{marker}]"
        intent = Intent.SHAPE if kind == "long" else intent
        home = self._homes.get(conversation, self.workspace)
        exchange = api.send_message(home, conversation, message, intent=intent, patient=patient)
        task_id = identifier(exchange, "task_id")
        if task_id is None:
            return exchange, None
        task = RecordedTask(
            task_id=task_id,
            conversation=conversation,
            kind=kind,
            marker=marker,
            message=message,
            shape=api.shape.name,
            sent_at=exchange.timing.started,
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
