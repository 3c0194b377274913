"""`sendpoll load` calls servers that are right for one user at a time, by the requirement that they break.

By default a sample is put under load; set SENDPOLL_EXHAUSTIVE=1 for all mutants of concurrency, for the proof that each
is right for one user who waits, and for the servers that are right and different.
"""

from __future__ import annotations

import os
import shutil

import pytest

from tests.benchmarks.teeth import CONCURRENT, alone, overlap, overlapping, said_of
from tests.mutants.catalogue import BY_NAME
from tests.peers.serve import PEERS, TOKEN, Peer, running

SAMPLE = ("second-message-lost", "overlapping-polls-cut-the-end")
EXHAUSTIVE = bool(os.environ.get("SENDPOLL_EXHAUSTIVE"))
exhaustive = pytest.mark.skipif(not EXHAUSTIVE, reason="fifteen seconds a server")


def test_there_are_more_than_ten() -> None:
    assert len(CONCURRENT) > 10


@pytest.mark.parametrize("name", CONCURRENT if EXHAUSTIVE else SAMPLE)
def test_a_fault_that_needs_several_at_once_is_called(name: str) -> None:
    found = overlapping(name, 20 if EXHAUSTIVE else 8)

    assert BY_NAME[name].requirement in found.violations, found
    assert found.exit_code == 1


@exhaustive
@pytest.mark.parametrize("name", CONCURRENT)
def test_one_user_who_waits_finds_nothing_in_it(name: str) -> None:
    assert alone(name).violations == {}


def test_people_who_do_not_wait_find_nothing_in_the_right_server() -> None:
    found = overlapping(None, 5, users=30)

    assert found.violations == {}, found


@exhaustive
@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_people_who_do_not_wait_find_nothing_in_a_server_that_is_right_and_different(peer: Peer) -> None:
    if peer.file.endswith(".mjs") and shutil.which("node") is None:
        pytest.skip("node is not installed")
    with running(peer) as url:
        found = said_of(url, TOKEN, *overlap(15, 8))

    assert found.violations == {}, found
