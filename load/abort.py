"""Ends a run as soon as an objective has failed, so that a hopeless one costs no more time and money."""

from __future__ import annotations

from typing import Final

from sendpoll.core.text.units import short_seconds
from sendpoll.load.engine import Controller, Order, View
from sendpoll.load.measure.objective_rule import Decision
from sendpoll.load.results.gates import gates_of

_EVERY_S: Final = 5.0
SURE: Final = 0.999
"""The confidence of a look before the end: there are many, and each may be the one that is misled."""


class AbortOnFail:
    """Asks another controller, until an objective has failed."""

    def __init__(self, controller: Controller, after_s: float | None) -> None:
        """`after_s` is for how long nothing is judged; None: until the end."""
        self._controller = controller
        self._due_s = after_s
        self.because = ""
        """Which objective ended the run, and when; empty where none did."""

    def decide(self, view: View) -> Order | None:
        """What the other one says; None once an objective has failed. Tasks that run are finished."""
        order = self._controller.decide(view)
        if order is None or self._due_s is None or view.elapsed < self._due_s:
            return order
        self._due_s = view.elapsed + _EVERY_S
        for gate in gates_of(view.metrics, SURE):
            # A drift is a matter of the whole run: what warms up drifts for a while.
            if gate.verdict is Decision.FAIL and gate.evidence.samples and gate.objective.slope is None:
                self.because = f"ended after {short_seconds(view.elapsed)}, since {gate.objective.text} had failed"
                return None
        return order
