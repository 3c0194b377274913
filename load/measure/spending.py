"""What messages cost: the bound that was set, and what was spent."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, TypedDict

from sendpoll.core.text.units import counted, short_seconds, three_digits

MONTH_S: Final = 30.44 * 86400
"""A month on average, in seconds."""


class PriceError(ValueError):
    """What was said of money makes no sense; the message says what to give."""


class UpkeepTold(TypedDict):
    """What one replica comes to in a month at the recommended level."""

    level: float
    replica: float
    messages: float | None
    total: float
    per_unit: float


class SpentTold(TypedDict):
    """What a run, or a plan, spent. Money is in whatever currency the options were given in."""

    messages: int
    max_messages: int | None
    cost_per_message: float | None
    cost: float | None
    sentence: str
    upkeep: UpkeepTold | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What was said of money."""

    max_messages: int | None = None
    max_cost: float | None = None
    cost_per_message: float | None = None
    replica_cost: float | None = None
    """Of a month."""

    def __post_init__(self) -> None:
        if self.max_cost is not None and self.cost_per_message is None:
            raise PriceError("--max-cost needs --cost-per-message: what one message costs")
        if self.bound == 0:
            raise PriceError("--max-cost does not pay for one message; raise it, or lower --cost-per-message")

    @property
    def bound(self) -> int | None:
        """The most messages that both limits allow; None where nothing bounds them."""
        bounds = [] if self.max_messages is None else [self.max_messages]
        if self.max_cost is not None and self.cost_per_message:
            bounds.append(math.floor(self.max_cost / self.cost_per_message + 1e-9))
        return min(bounds, default=None)

    def cost(self, messages: float) -> float | None:
        """What so many messages cost; None where nobody said."""
        return None if self.cost_per_message is None else messages * self.cost_per_message

    def spent(self, messages: int, seconds: float, upkeep: UpkeepTold | None = None) -> SpentTold:
        """What so many messages in so many seconds came to."""
        cost = self.cost(messages)
        told = f"{counted(messages, 'message')} in {short_seconds(seconds)}"
        if cost is not None:
            told += f", at {_money(self.cost_per_message or 0)} each: {_money(cost)}"
        if self.bound is not None:
            told += f"; {self.bound:,} were allowed" + (", and that ended it" if messages >= self.bound else "")
        return {
            "messages": messages,
            "max_messages": self.bound,
            "cost_per_message": self.cost_per_message,
            "cost": cost,
            "sentence": told if upkeep is None else f"{told}. {upkeep_sentence(upkeep)}",
            "upkeep": upkeep,
        }

    def upkeep(self, level: float | None, messages_per_second: float | None) -> UpkeepTold | None:
        """What a replica comes to in a month at a level; None where its price or the level is not known."""
        if self.replica_cost is None or not level:
            return None
        messages = None if messages_per_second is None else self.cost(messages_per_second * MONTH_S)
        total = self.replica_cost + (messages or 0.0)
        return {
            "level": level,
            "replica": self.replica_cost,
            "messages": messages,
            "total": total,
            "per_unit": total / level,
        }


def upkeep_sentence(upkeep: UpkeepTold) -> str:
    """The upkeep in words."""
    told = f"A replica at {upkeep['level']:g} costs {_money(upkeep['total'])} a month"
    if upkeep["messages"] is not None:
        told += (
            f", {_money(upkeep['replica'])} for itself and {_money(upkeep['messages'])} for its messages day and night"
        )
    return f"{told}: {_money(upkeep['per_unit'])} for each that it holds"


def _money(amount: float) -> str:
    """An amount with two decimals, or with three digits where it is small."""
    return f"{amount:,.2f}" if amount >= 1 or amount == 0 else three_digits(amount)
