"""A controller that ends a run, or a plan, when all the messages that it was allowed have been sent."""

from __future__ import annotations

from sendpoll.load.engine import Controller, Order, View


class BoundedController:
    """Asks another controller, until nothing is left to be sent."""

    def __init__(self, controller: Controller, most: int | None) -> None:
        self._controller = controller
        self._most = most
        self.is_spent = False
        """Whether that ended it."""

    def decide(self, view: View) -> Order | None:
        """What the other one says; None once all messages were sent. Those that run are finished."""
        order = self._controller.decide(view)  # it takes in what has ended, also the last time
        started = sum(cohort.started for cohort in view.cohorts.values())
        if order is not None and self._most is not None and started >= self._most:
            self.is_spent = True
            return None
        return order
