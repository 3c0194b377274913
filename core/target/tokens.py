"""The tokens of a run: one, or a pool, from the user or from a command that prints them anew when they are refused."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from sendpoll.core.files.source import read_source
from sendpoll.core.target.target import PLACEHOLDER, Target
from sendpoll.core.target.url import TargetError

COMMAND_SECONDS: Final = 20.0
"""What a command may take that prints a token."""
_FILE_BYTES: Final = 256 * 1024
_POOL: Final = 10_000


def tokens_of_file(path: Path) -> tuple[str, ...]:
    """The tokens of a file, one a line; empty lines and those after # are none. Raises TargetError, FileError."""
    lines = (line.strip() for line in read_source(path, _FILE_BYTES).splitlines())
    return _pool([line for line in lines if line and not line.startswith("#")], str(path))


def tokens_of_command(command: Sequence[str], within: float = COMMAND_SECONDS) -> tuple[str, ...]:
    """The tokens that a command prints, one a line, in at most so many seconds. Raises TargetError.

    What it prints is never told: it may be a token with something wrong about it.
    """
    name = command[0]
    try:
        done = subprocess.run(  # noqa: S603 - the user's own command, out of the user's own file or option
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=within, check=False
        )
    except OSError as error:
        raise TargetError(f"the token command {name} cannot be run: {error.strerror or error}") from error
    except subprocess.TimeoutExpired as error:
        raise TargetError(f"the token command {name} did not end within {within:g} s") from error
    if done.returncode != 0:
        raise TargetError(f"the token command {name} ended with {done.returncode}; run it by itself to see why")
    printed = done.stdout.decode("utf-8", "replace")
    return _pool([line.strip() for line in printed.splitlines() if line.strip()], f"the token command {name}")


def _pool(tokens: Sequence[str], source: str) -> tuple[str, ...]:
    if not 1 <= len(tokens) <= _POOL:
        raise TargetError(f"{source} tells {len(tokens):,} tokens; give 1 to {_POOL:,}, one a line")
    for number, token in enumerate(tokens, start=1):
        if not re.fullmatch(r"[\x21-\x7e]{1,8192}", token):
            raise TargetError(
                f"{source}: line {number} is no token: it has spaces, or characters that no header carries"
            )
    return tuple(tokens)


class Tokens:
    """The tokens that are good now. For several threads at once."""

    def __init__(self, target: Target, fetch: Callable[[Sequence[str]], tuple[str, ...]] = tokens_of_command) -> None:
        self._command = target.token_command
        self._fetch = fetch
        self._lock = threading.Lock()
        self._pool = target.tokens or (target.token,)
        self._before: dict[str, int] = {}
        """Tokens that were refused, each to its place in the pool."""

    @property
    def pool(self) -> tuple[str, ...]:
        """Those that are good now; never empty."""
        return self._pool

    def of(self, user: int) -> str:
        """The token of a user by its number."""
        return self._pool[user % len(self._pool)]

    @property
    def can_renew(self) -> bool:
        """Whether there is a command that prints others."""
        return bool(self._command)

    def renewed(self, refused: str) -> str:
        """The token in place of one that a server refused with 401; the command runs once for all who ask.

        Takes at most `COMMAND_SECONDS`. Raises TargetError where there is no command, where it fails, and where it
        prints the refused token again: who asks then tells that, and stops.
        """
        with self._lock:
            if refused in self._before and refused not in self._pool:
                return self.of(self._before[refused])
            if not self._command:
                raise TargetError("the token is refused, and no token_command prints another one")
            place = self._pool.index(refused) if refused in self._pool else 0
            fresh = self._fetch(self._command)
            if fresh[place % len(fresh)] == refused:
                raise TargetError(f"the token command {self._command[0]} prints a token that the server refuses")
            self._before |= {token: number for number, token in enumerate(self._pool)}
            self._pool = fresh
            return self.of(place)


def acquired(target: Target) -> Target:
    """The target with the tokens that its command prints, where it has one and was given none. Raises TargetError."""
    if not target.token_command or target.token != PLACEHOLDER:
        return target
    tokens = tokens_of_command(target.token_command)
    return replace(target, token=tokens[0], tokens=tokens if len(tokens) > 1 else ())
