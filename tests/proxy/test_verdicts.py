"""Through the proxy, `check` says of a server what it says without it, and clients fare as they do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sendpoll.conformance.results.judgement import Judgement
from sendpoll.conformance.server.plugin import RunOptions
from sendpoll.conformance.server.suite_run import check
from sendpoll.core.target.target import Target, Timeouts
from sendpoll.proxy.faults import parse_fault
from sendpoll.reference_server.embedded import running
from sendpoll.reference_server.settings import Settings
from tests.conformance.reference import OTHER_TOKEN, TOKEN, reference
from tests.mutants.catalogue import BY_NAME
from tests.mutants.serve import running as running_mutant
from tests.proxy.proxied import proxied

ROOT = Path(__file__).parents[2]
GOOD = ROOT / "examples" / "client.py"
BAD = ROOT / "tests" / "bad_clients" / "programs"


def verdicts(target: Target) -> dict[str, str]:
    options = RunOptions(seed=1, examples=10)
    report: Any = check(target, options, Judgement())
    return {row["id"]: row["verdict"] for row in report["requirements"]}


def test_a_right_server_is_right_through_it() -> None:
    with reference() as server:
        target = Target(base_url=server.url, token=TOKEN, second_token=OTHER_TOKEN)
        with proxied(target) as proxy:
            through = verdicts(Target(base_url=proxy.url, token=TOKEN, second_token=OTHER_TOKEN))
    assert {row for row, verdict in through.items() if verdict != "pass"} == set()


@pytest.mark.parametrize("name", ["length-in-characters", "offset-skips-an-event", "idle-half-a-second"])
def test_a_mutant_fails_its_row_through_it(name: str) -> None:
    mutant = BY_NAME[name]
    with running_mutant(mutant) as (url, token, second):
        target = Target(base_url=url, token=token, second_token=second, timeouts=Timeouts(task=20, run=150))
        with proxied(target) as proxy:
            through = Target(base_url=proxy.url, token=token, second_token=second, timeouts=target.timeouts)
            told = verdicts(through)
    assert told[mutant.requirement] == "fail"


SLOW = Settings(tokens=(TOKEN,), host="127.0.0.1", port=0, chunks=20, chunk_interval=0.12)
"""Tasks of four polls and more, on a busy machine too."""
FAULTS = {
    "delay,call=poll,seconds=0.3": "",
    "jitter,call=poll,seconds=0.1": "",
    "drip,call=poll,seconds=0.5,every=2": "",
    "duplicate": "",
    "stale": "",
    "pool,call=poll,every=2": "",
    "drop-before,call=poll,every=2": "dies_of_a_reset.py",
    "drop-after,call=poll,every=2": "dies_of_a_reset.py",
    "reset,call=poll,every=2": "dies_of_a_reset.py",
    "cut,call=poll,every=2": "dies_of_a_cut.py",
    "refuse,call=poll,every=2,status=503": "dies_of_5xx.py",
    "refuse,call=poll,every=2,status=429": "dies_of_429.py",
}
"""A fault, and the bad client that does not survive it; where there is none, every client does."""


def run(program: Path, url: str) -> tuple[int, str]:
    environment = {**os.environ, "SENDPOLL_URL": url, "SENDPOLL_TOKEN": TOKEN, "SENDPOLL_WORKSPACE": "w"}
    environment["SENDPOLL_MESSAGE"] = "say it all"
    ran = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, timeout=300, env=environment, check=False
    )
    return ran.returncode, ran.stdout


@pytest.mark.parametrize("rule", FAULTS)
def test_a_good_client_survives_a_fault_and_a_bad_one_does_not(rule: str) -> None:
    with running(SLOW) as url:
        target = Target(base_url=url, token=TOKEN)
        with proxied(target, [parse_fault(rule)]) as proxy:
            code, shown = run(GOOD, proxy.url)
            cost = proxy.server.cost.as_json()["faults"]
            assert (code, "say it all" in shown) == (0, True)
            assert rule == "stale" or (cost and cost[0]["injected"] == cost[0]["recovered"])
            if FAULTS[rule]:
                code, shown = run(BAD / FAULTS[rule], proxy.url)
                assert code != 0 or "完。" not in shown
