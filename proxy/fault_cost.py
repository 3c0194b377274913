"""What faults of the network cost: which were got over and how soon, and messages that the server took twice. Pure."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Final

from sendpoll.core.network_cost import CostJson, NetworkJson
from sendpoll.proxy.faults import DrawnFault
from sendpoll.proxy.overheard import Overheard

_MOST: Final = 200_000
"""Messages that are remembered, and faults whose end is awaited."""


@dataclass(slots=True)
class FaultCost:
    """Counts what was done to the network, and what came after it."""

    exchanges: int = 0
    doubled: int = 0
    _injected: Counter[str] = field(default_factory=Counter)
    _recovered: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    _waiting: dict[tuple[str, str], list[tuple[str, float]]] = field(default_factory=lambda: defaultdict(list))
    """Who waits since which fault: a task whose poll was hit, or a POST that is sent again word for word."""
    _messages: Counter[bytes] = field(default_factory=Counter)

    def injected(self, drawn: DrawnFault, exchange: Overheard, now: float) -> None:
        """A fault happens to an exchange."""
        self._injected[drawn.rule.name] += 1
        if len(self._waiting) < _MOST:
            self._waiting[_key(exchange)].append((drawn.rule.name, now))

    def delivered(self, exchange: Overheard, now: float) -> None:
        """A client has the whole 2xx answer to a call."""
        for name, at in self._waiting.pop(_key(exchange), ()):
            self._recovered[name].append(now - at)

    def taken(self, exchange: Overheard) -> None:
        """The server has taken a message, whether or not its client comes to know."""
        if exchange.operation != "sendMessage" or len(self._messages) >= _MOST:
            return
        said = hashlib.sha256(exchange.request.target.encode("latin-1") + b"\0" + bytes(exchange.request.body)).digest()
        self._messages[said] += 1
        self.doubled += self._messages[said] > 1

    def as_json(self) -> NetworkJson:
        """All of it."""
        return {
            "exchanges": self.exchanges,
            "faults": [self._cost(name, count) for name, count in sorted(self._injected.items())],
            "doubled_messages": self.doubled,
        }

    def _cost(self, name: str, count: int) -> CostJson:
        took = sorted(self._recovered[name])
        return {
            "fault": name,
            "injected": count,
            "recovered": len(took),
            "recover_p50_s": round(took[len(took) // 2], 3) if took else None,
            "recover_max_s": round(took[-1], 3) if took else None,
        }


def _key(exchange: Overheard) -> tuple[str, str]:
    ids = exchange.call.ids if exchange.call is not None else {}
    if exchange.operation == "pollTask":
        return "pollTask", ids.get("task_id", "")
    said = hashlib.sha256(exchange.request.body).hexdigest()
    return exchange.operation, f"{exchange.request.target} {said}"
