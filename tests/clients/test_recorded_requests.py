"""The suite replays, to the byte, what the real clients send."""

from __future__ import annotations

import pytest

from tests.clients.recorded_requests import differences, record
from tests.clients.runners import CLIENTS

CALLS = ["createWorkspace", "createConversation", "sendMessage", "pollTask", "pollTask", "pollTask"]


@pytest.mark.parametrize("client", CLIENTS)
def test_the_replayed_bytes_are_the_clients_own(runnable: str) -> None:
    recorded = record(runnable)
    assert [request.call for request in recorded if request.call != "preflight"] == CALLS
    assert list(differences(runnable, recorded)) == []


@pytest.mark.parametrize("client", ["browser", "browser_file"])
def test_a_browser_asks_before_every_call(runnable: str) -> None:
    """Only a later poll of the same URL may go without: a preflight's answer holds for seconds."""
    calls = [request.call for request in record(runnable)]
    assert calls[:8:2] == ["preflight"] * 4
    assert calls[1:8:2] == CALLS[:4]
