"""What a master hands to its workers: the workload without its secrets, which each worker has from its own operator."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sendpoll.core.target.target import Target, Timeouts
from sendpoll.load.engine import Workload
from sendpoll.load.scenario.scenario_file import scenario_of

PROTOCOL: Final = 2
"""Raised when a master and a worker of different versions could no longer work together."""


class HandoverError(ValueError):
    """Master and worker do not fit together; the message says what to change on the worker."""


def workload_to_message(workload: Workload, run_name: str, index: int) -> dict[str, Any]:
    """The workload as msgpack carries it, for worker number `index`."""
    target = workload.target
    secret = target.secret_headers
    public = [[name, value] for name, value in target.headers if name.lower() not in secret]
    return {
        "protocol": PROTOCOL,
        "run_name": run_name,
        "index": index,
        "seed": workload.seed,
        "max_messages": workload.max_messages,
        "scenario": workload.scenario.as_json(),
        "url": target.base_url,
        "headers": public,
        "ca_file": str(target.ca_file) if target.ca_file else None,
        "verify_tls": target.verify_tls,
        "workspace": target.workspace,
        "timeouts": dataclasses.asdict(target.timeouts),
        "fingerprint": fingerprint(target, run_name),
    }


def workload_from_message(message: Mapping[str, Any], own: Target) -> Workload:
    """The workload of a worker whose own description of the target holds the secrets. Raises HandoverError."""
    if message.get("protocol") != PROTOCOL:
        raise HandoverError("master and worker are of different versions of sendpoll; install the same on both")
    secret = [(name, value) for name, value in own.headers if name.lower() in own.secret_headers]
    ca_file = own.ca_file or (Path(message["ca_file"]) if message["ca_file"] else None)
    target = Target(
        base_url=message["url"],
        token=own.token,
        tokens=own.tokens,
        token_command=own.token_command,
        public_headers=tuple(name for name, _ in message["headers"]),
        client_cert=own.client_cert,
        client_key=own.client_key,
        headers=(*((name, value) for name, value in message["headers"]), *secret),
        ca_file=ca_file,
        verify_tls=message["verify_tls"],
        workspace=message["workspace"],
        timeouts=Timeouts(**message["timeouts"]),
    )
    if fingerprint(target, message["run_name"]) != message["fingerprint"]:
        raise HandoverError(
            "this worker's token or secret headers are not the master's; start it with the same --token or --target"
        )
    scenario = scenario_of(message["scenario"], "the master's scenario")
    return Workload(target, scenario, message["seed"], message["max_messages"])


def fingerprint(target: Target, run_name: str) -> str:
    """What two holders of the same secrets can compare without telling them."""
    carried = json.dumps(
        [target.token, sorted(value for name, value in target.headers if name.lower() in target.secret_headers)]
    )
    return hmac.new(run_name.encode(), carried.encode(), hashlib.sha256).hexdigest()


def target_to_json(target: Target) -> str:
    """The whole target, secrets included, in one line: for the standard input of a process of our own."""
    described = dataclasses.asdict(target)
    del described["traits"]  # whoever spreads the users over the processes has read them
    return json.dumps(described, default=str)  # a path is the only thing in it that JSON has not


def target_from_json(line: str) -> Target:
    """The target that `target_to_json` wrote."""
    described = json.loads(line)
    described["headers"] = tuple((name, value) for name, value in described["headers"])
    for name in ("tokens", "token_command", "public_headers"):
        described[name] = tuple(described[name])
    for name in ("ca_file", "client_cert", "client_key"):
        described[name] = Path(described[name]) if described[name] else None
    described["timeouts"] = Timeouts(**described["timeouts"])
    return Target(**described)
