"""Refusals of what was taken before: a server that gives so much and no more is limited, and not at fault."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sendpoll.conformance.http.exchange import Exchange, Intent
from sendpoll.conformance.rules.rules import RuleOutcome

_SPENT = frozenset({402, 403, 409, 413, 422, 429, 507})
"""How servers say that something is used up: payment, permission, a cap, a size, a rate, storage."""
_GIVEN = {"createWorkspace": "workspaces", "createConversation": "conversations", "sendMessage": "messages"}
_Form = tuple[str, str]
"""A call, and the client in whose form it is made."""


class Quotas:
    """What was taken in a form, and what was refused in it later. The caller's lock guards it.

    A quota that is used up stays so: a refusal is held back, and judged after all where the same form is taken again.
    """

    def __init__(self) -> None:
        self._taken: dict[_Form, int] = {}
        self._held: dict[_Form, list[tuple[RuleOutcome, Exchange]]] = {}
        self._first: dict[_Form, Exchange] = {}

    def judge(self, exchange: Exchange, observations: Iterable[RuleOutcome]) -> Iterator[tuple[RuleOutcome, Exchange]]:
        """What may be counted now: of this exchange, and of refusals before it that were no quota after all."""
        request = exchange.request
        form = (request.operation, request.shape)
        if request.intent is Intent.PROBE or request.again or request.operation not in _GIVEN:
            yield from ((observation, exchange) for observation in observations)
            return
        spent = exchange.status in _SPENT and exchange.failure is None and form in self._taken
        for observation in observations:
            if spent and observation.broken is not None:
                self._held.setdefault(form, []).append((observation, exchange.trimmed()))
                self._first.setdefault(form, exchange.trimmed())
            else:
                yield observation, exchange
        if exchange.ok:
            self._taken[form] = self._taken.get(form, 0) + 1
            self._first.pop(form, None)
            yield from self._held.pop(form, ())

    @property
    def notes(self) -> list[str]:
        """What the server seems to give no more of, each with the exchange that shows it."""
        return [
            f"The server took {self._taken[form]} {_GIVEN[form[0]]} of {form[1]} and then answered "
            f"{refusal.outcome} (#{refusal.number}): that is taken for a quota, and no failure."
            for form, refusal in self._first.items()
        ]
