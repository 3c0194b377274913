"""Which of the published clients' requests a target takes, and where it refuses some, which single difference it is.

Each client differs from the one that gets through in several traits: how it writes headers, media type, text, and a
body that is empty. Where a call is refused in one client's form and taken in another's, the form that works is sent
with one trait of the refused one at a time, so that a refusal has one reason.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from sendpoll.conformance.http.exchange import Exchange, Failure, Intent
from sendpoll.conformance.server.probing.api import Api
from sendpoll.conformance.server.probing.client_profiles import PROFILES, ClientProfile
from sendpoll.conformance.server.probing.endings import BudgetSpentError, NoTimeError
from sendpoll.conformance.server.probing.recorded_tasks import Corpus, is_heavy
from sendpoll.conformance.server.probing.run_context import RunContext, Walk
from sendpoll.conformance.server.probing.second_tries import ROWS, Wavering
from sendpoll.schemas.endpoints import endpoints

_REPEATS = 3
"""Times that a form must be refused, and another one taken, before it is the form that a refusal is put down to."""
_CALLS = frozenset(endpoints())
_HAVE_A_BODY = frozenset(operation for operation, endpoint in endpoints().items() if endpoint.body_required)


def _media_type(shape: ClientProfile) -> str:
    """The Content-Type of the client's JSON bodies."""
    return next(told for name, told, _ in shape.template if name.lower() == "content-type")


def _with_media_type(shape: ClientProfile, value: str) -> ClientProfile:
    """The same client with another Content-Type on its JSON bodies."""
    template = tuple(
        (name, value if name.lower() == "content-type" else told, when) for name, told, when in shape.template
    )
    return replace(shape, template=template)


def _with_headers_of(shape: ClientProfile, other: ClientProfile) -> ClientProfile:
    """The same bodies and media type under the header names, order and extras of another client."""
    return _with_media_type(replace(shape, template=other.template, origin=other.origin), _media_type(shape))


@dataclass(frozen=True, slots=True)
class Trait:
    """One thing in which clients differ."""

    requirement: Callable[[ClientProfile], str]
    """The row that a refusal of this client's form of it breaks."""
    calls: frozenset[str]
    """The calls that show it."""
    value: Callable[[ClientProfile], object]
    """What of it a client has; clients with equal values do not differ in it."""
    take: Callable[[ClientProfile, ClientProfile], ClientProfile]
    """The first client with this trait of the second."""


TRAITS = (
    Trait(
        lambda _: "REQ-6",
        frozenset({"sendMessage"}),
        lambda shape: shape.escapes,
        lambda shape, other: replace(shape, escapes=other.escapes),
    ),
    Trait(
        lambda _: "REQ-7",
        frozenset({"sendMessage"}),
        lambda shape: shape.max_iterations,
        lambda shape, other: replace(shape, max_iterations=other.max_iterations),
    ),
    Trait(
        lambda _: "REQ-3", _HAVE_A_BODY, _media_type, lambda shape, other: _with_media_type(shape, _media_type(other))
    ),
    Trait(
        lambda shape: "REQ-2" if shape.tells_empty_body else "REQ-1",
        frozenset({"createConversation"}),
        lambda shape: shape.tells_empty_body,
        lambda shape, other: replace(shape, tells_empty_body=other.tells_empty_body),
    ),
    Trait(
        lambda _: "REQ-4",
        _HAVE_A_BODY,
        lambda shape: shape.body_apart,
        lambda shape, other: replace(shape, body_apart=other.body_apart),
    ),
    Trait(lambda _: "REQ-4", _CALLS, lambda shape: shape.template, _with_headers_of),
)
"""The last one is all that the others leave: a refusal that no single trait explains is put down to it."""


@dataclass(frozen=True, slots=True)
class TraitRefusal:
    """A row that a refusal breaks."""

    requirement: str
    sentence: str
    exchanges: tuple[Exchange, ...]


@dataclass(slots=True)
class Survey:
    """Which calls were taken in which client's form."""

    taken: set[tuple[str, str]] = field(default_factory=set)
    """Client and call."""
    findings: list[TraitRefusal] = field(default_factory=list)

    def forms(self, requirement: str) -> Mapping[object, int]:
        """For each form that a row asks to be taken, how often it was."""
        counted: Counter[object] = Counter()
        for trait, shape in itertools.product(TRAITS, PROFILES):
            if trait.requirement(shape) == requirement:
                counted[trait.value(shape)] += sum((shape.name, call) in self.taken for call in trait.calls)
        return counted


class Surveyor:
    """Makes the survey; what the corpus has tried already is not sent again."""

    def __init__(self, context: RunContext, corpus: Corpus) -> None:
        self.context = context
        self.working = context.api.shape
        self.survey = Survey()
        self._walked = {name: _by_call(walk) for name, walk in corpus.walks.items()}
        self._tried: dict[tuple[str, ClientProfile], Exchange | None] = {}
        self._blamed: dict[str, Trait] = {}
        """Client to the trait for which a form of it was refused."""

    def run(self) -> Survey:
        """Look at every call in every client's form. Raises RunOverError and TargetLostError."""
        for shape, call in itertools.product(PROFILES, endpoints()):
            exchange = self._walked.get(shape.name, {}).get(call) or self._send(call, shape)
            if exchange is None:
                continue
            if exchange.ok:
                self.survey.taken.add((shape.name, call))
            elif _is_refusal(exchange):
                self._explain(call, shape, exchange)
        return self.survey

    def _send(self, call: str, shape: ClientProfile) -> Exchange | None:
        """One call in a form; None where no message may be sent for it."""
        context, api = self.context, Api(self.context.recorder, shape)
        if call == "createWorkspace":
            return context.ensure_workspace(api, Intent.SHAPE)
        if call == "createConversation":
            return context.open_conversation(api, Intent.SHAPE)[0]
        if call == "pollTask":
            return api.poll(context.tasks[0].task_id, 0, intent=Intent.SHAPE)
        if is_heavy(context) or not context.recorder.affordable:
            return None
        try:
            exchange = context.start(api, "unicode", 0, intent=Intent.SHAPE)[0]
        except (BudgetSpentError, NoTimeError):
            return None
        return exchange if exchange.request.operation == call else None

    def _try(self, call: str, form: ClientProfile) -> Exchange | None:
        """The same, once for each form."""
        if (call, form) not in self._tried:
            self._tried[call, form] = self._send(call, form)
        return self._tried[call, form]

    def _explain(self, call: str, shape: ClientProfile, refused: Exchange) -> None:
        """Find the trait for which a form is refused that others are not; where it is no such thing, say nothing."""
        control = self._try(call, self.working) or self._walked[self.working.name].get(call)
        if control is None or not control.ok:
            return
        again = refused
        for form, is_taken in ((shape, False), (self.working, True)):
            for _ in range(_REPEATS if call != "sendMessage" or not is_taken else 0):
                exchange = self._send(call, form)
                if exchange is None:
                    return
                if exchange.ok != is_taken:
                    self._note_wavering(*((exchange, control) if is_taken else (refused, exchange)))
                    return
                again = again if is_taken else exchange
        trait, seen = self._culprit(call, shape)
        sentence = (
            f"{call} as {shape.name} writes it is answered {refused.outcome}, as {self.working.name} does it is not"
        )
        self.survey.findings.append(TraitRefusal(trait.requirement(shape), sentence, (seen or again, control)))

    def _note_wavering(self, refused: Exchange, taken: Exchange) -> None:
        """One form of a call was both refused and taken, so none is to blame for a refusal."""
        requirement = ROWS.get(refused.request.operation)
        if requirement is not None and self.context.wavering is None and _is_refusal(refused):
            self.context.wavering = Wavering(requirement, refused.trimmed(), taken.trimmed(), (1, 1))

    def _culprit(self, call: str, shape: ClientProfile) -> tuple[Trait, Exchange | None]:
        """The trait, and the exchange that shows that it is enough.

        Where no message was left to try one with, it is what this client's form of another call was refused for; where
        none is enough, the last trait.
        """
        differing = [
            trait for trait in TRAITS if call in trait.calls and trait.value(shape) != trait.value(self.working)
        ]
        forms = [(trait, trait.take(self.working, shape)) for trait in differing]
        forms.sort(key=lambda pair: (call, pair[1]) not in self._tried)  # what was tried costs no message
        for trait, form in forms:
            exchange = self._try(call, form)
            if exchange is not None and _is_refusal(exchange):
                self._blamed[shape.name] = trait
                return trait, exchange
        blamed = self._blamed.get(shape.name)
        untried = any(self._tried.get((call, form)) is None for _, form in forms)
        return blamed if blamed in differing and blamed is not None and untried else TRAITS[-1], None


def _by_call(walk: Walk) -> dict[str, Exchange]:
    return {exchange.request.operation: exchange for exchange in walk.exchanges}


def _is_refusal(exchange: Exchange) -> bool:
    """Whether the server would not have it; a redirect breaks a row of its own, and a lost target is no refusal."""
    return not exchange.ok and not 300 <= exchange.status <= 399 and exchange.failure is not Failure.CONNECT
