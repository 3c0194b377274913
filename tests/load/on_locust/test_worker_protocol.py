"""A worker is told everything but the secrets."""

from __future__ import annotations

import json
from pathlib import Path

import msgpack
import pytest

from sendpoll.core.target.target import Target
from sendpoll.load.engine import Workload
from sendpoll.load.on_locust.worker_protocol import (
    HandoverError,
    target_from_json,
    target_to_json,
    workload_from_message,
    workload_to_message,
)
from sendpoll.load.scenario.scenario_file import load_scenario

MASTER = Workload(
    Target(
        base_url="https://agent.example/base",
        token="the-token",
        headers=(("X-Api-Key", "the-key"), ("X-Tenant", "t1")),
        public_headers=("X-Tenant",),
        tokens=("the-token", "another-one"),
        token_command=("print", "tokens"),
        ca_file=Path("ca.pem"),
        client_cert=Path("mine.pem"),
        workspace="ws",
    ),
    load_scenario("mobile"),
    seed=7,
)


def test_a_worker_with_the_same_secrets_gets_the_same_workload() -> None:
    message = msgpack.unpackb(msgpack.packb(workload_to_message(MASTER, "run", 3)))
    own = Target(token="the-token", headers=(("X-Api-Key", "the-key"),))
    told = workload_from_message(message, own)
    assert (told.scenario, told.seed) == (MASTER.scenario, 7)
    assert (told.target.base_url, told.target.token) == (MASTER.target.base_url, "the-token")
    assert dict(told.target.headers) == dict(MASTER.target.headers)
    assert told.target.ca_file == Path("ca.pem")


def test_no_secret_is_on_the_wire() -> None:
    said = json.dumps(workload_to_message(MASTER, "run", 0))
    assert "the-token" not in said
    assert "the-key" not in said


@pytest.mark.parametrize("own", [Target(), Target(token="another"), Target(token="the-token")])
def test_a_worker_with_other_secrets_is_told_to_take_the_masters(own: Target) -> None:
    with pytest.raises(HandoverError, match="--token"):
        workload_from_message(workload_to_message(MASTER, "run", 0), own)


def test_another_version_is_refused() -> None:
    with pytest.raises(HandoverError, match="version"):
        workload_from_message({**workload_to_message(MASTER, "run", 0), "protocol": 0}, MASTER.target)


def test_a_target_goes_through_standard_input_whole() -> None:
    assert target_from_json(target_to_json(MASTER.target)) == MASTER.target
