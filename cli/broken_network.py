"""A proxy that breaks the network, in a process of its own, for the length of a load run."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import click

from sendpoll.core.network_cost import NetworkJson
from sendpoll.core.target.target import Target

_ENDING_S = 20.0
Through = tuple[Target, Callable[[], NetworkJson] | None]
"""Where users send to, and what ends the proxy and tells what its faults cost; None where there is none."""


@contextlib.contextmanager
def broken_network(target: Target, network: Path | None, seed: int) -> Iterator[Through]:
    """The target as it is reached through a proxy with the faults of a file. Raises click.UsageError."""
    if network is None:
        yield target, None
        return
    child = subprocess.Popen(
        [sys.executable, "-m", "sendpoll.proxy"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C in a terminal ends the run first
    )
    told = {
        "base_url": target.base_url,
        "verify_tls": target.verify_tls,
        "network": str(network),
        "seed": seed,
        **{name: str(getattr(target, name) or "") for name in ("ca_file", "client_cert", "client_key")},
    }
    try:
        kind, text = _first_line(child, json.dumps(told))
        if kind != "listening":
            raise click.UsageError(text or "the proxy of --network ended before it listened")
        yield dataclasses.replace(target, base_url=text, client_cert=None, client_key=None), lambda: _cost(child)
    finally:
        _end(child)


def _first_line(child: subprocess.Popen[str], settings: str) -> tuple[str, str]:
    assert child.stdin is not None  # noqa: S101 - it was asked for
    assert child.stdout is not None  # noqa: S101 - the same
    with contextlib.suppress(BrokenPipeError):
        child.stdin.write(settings + "\n")
        child.stdin.flush()
    kind, _, text = child.stdout.readline().rstrip("\n").partition(" ")
    return kind, text


def _cost(child: subprocess.Popen[str]) -> NetworkJson:
    """End the proxy; its last line."""
    try:
        said, _ = child.communicate(timeout=_ENDING_S)
    except subprocess.TimeoutExpired:
        said = ""
    last = next((line for line in said.splitlines() if line.startswith("cost ")), "")
    if not last:
        return {"exchanges": 0, "faults": [], "doubled_messages": 0}
    return cast(NetworkJson, json.loads(last.removeprefix("cost ")))


def _end(child: subprocess.Popen[str]) -> None:
    for stream in (child.stdin, child.stdout):
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                stream.close()
    try:
        child.wait(_ENDING_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
