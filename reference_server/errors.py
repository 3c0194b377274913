"""What the core refuses. Each refusal names a stable code for programs and a sentence for people."""

from __future__ import annotations


class RefusalError(Exception):
    """A request that cannot be granted, by the fault of who asked."""

    def __init__(self, code: str, message: str, retry_after: int | None = None) -> None:
        """`retry_after` in seconds, if the same request may be granted then."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after = retry_after


class NotFoundError(RefusalError):
    """It does not exist, or belongs to somebody else, which the answer does not tell apart."""


class OffsetError(RefusalError):
    """An offset that no poll of this task has given out."""


class BusyError(RefusalError):
    """A task runs where only one may."""


class PaceError(RefusalError):
    """Requests come faster than they are taken."""


class StorageError(Exception):
    """The database cannot be opened or written; the message says which and what to do."""
