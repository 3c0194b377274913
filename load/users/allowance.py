"""How many more messages may be sent: each may cost money, so the bound is kept before the send, not after it."""

from __future__ import annotations


class Allowance:
    """What is left of it to one generator. Messages that are refused, and sends that fail, count: they may cost too."""

    def __init__(self, most: int | None) -> None:
        """`most` is None where nothing bounds them."""
        self._left = most

    @property
    def is_spent(self) -> bool:
        """Whether nothing more may be sent."""
        return self._left == 0

    def take(self) -> bool:
        """Take one message, if there is one left."""
        if self._left is None:
            return True
        if not self._left:
            return False
        self._left -= 1
        return True


def share_of(most: int | None, index: int, generators: int) -> int | None:
    """What one of so many generators may send. One that comes late, beyond their number, may send nothing."""
    if most is None:
        return None
    return most // generators + (index < most % generators) if index < generators else 0
