"""The log on standard error, which no flood of requests and no broken disk fills."""

from __future__ import annotations

import contextlib
import logging
import time
from collections import Counter
from collections.abc import Iterator

_SECONDS = 60.0
_MESSAGES = 30
"""Different messages in that time."""
_CHARACTERS = 8000
"""Of one message with its traceback."""
_KEY = 500
"""Characters by which two messages are told apart."""


@contextlib.contextmanager
def logging_to_stderr() -> Iterator[None]:
    """Have warnings and errors of the whole process on standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(SafeFormatter("%(asctime)s %(levelname)s %(message)s"))
    handler.addFilter(Sparing())
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)


class SafeFormatter(logging.Formatter):
    """Writes what came from elsewhere so that it cannot steer a terminal, at a bounded length."""

    def format(self, record: logging.LogRecord) -> str:
        """The message, and the traceback if it has one."""
        text = super().format(record)
        if len(text) > _CHARACTERS:
            half = _CHARACTERS // 2
            text = f"{text[:half]}\n...\n{text[-half:]}"
        return "".join(one if one.isprintable() or one == "\n" else ascii(one)[1:-1] for one in text)


class Sparing(logging.Filter):
    """Lets each message through once a minute, and then says how often it came; at most 30 different ones."""

    def __init__(self) -> None:
        super().__init__()
        self._until = 0.0
        self._seen: Counter[str] = Counter()
        self._before: Counter[str] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write it; its message is completed where it stands for more than itself."""
        now = time.monotonic()
        if now >= self._until:
            self._until = now + _SECONDS
            self._seen, self._before = Counter(), self._seen
        said = record.getMessage()
        key = f"{said[:_KEY]} {record.exc_info[1]!r:.{_KEY}}" if record.exc_info else said[:_KEY]
        is_new = key not in self._seen
        if is_new and len(self._seen) >= _MESSAGES:
            return False
        self._seen[key] += 1
        if is_new and (repeated := self._before.pop(key, 0) - 1) > 0:
            record.msg, record.args = f"{said} ({repeated} more before)", ()
        return is_new
