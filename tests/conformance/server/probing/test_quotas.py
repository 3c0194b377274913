"""A refusal of what was taken before is held back, and judged where the same is taken again."""

from __future__ import annotations

import pytest

from sendpoll.conformance.http.exchange import Exchange, Intent
from sendpoll.conformance.rules.rules import observe
from sendpoll.conformance.server.probing.quotas import Quotas
from tests.conformance.exchanges import told


def broken(quotas: Quotas, exchange: Exchange) -> list[str]:
    """The rows that this exchange breaks, or lets count as broken."""
    return [found.requirement for found, _ in quotas.judge(exchange, observe(exchange)) if found.broken]


def taken(operation: str) -> Exchange:
    return told(operation, shape="curl")


def refused(operation: str, status: int, shape: str = "curl", intent: Intent = Intent.USE) -> Exchange:
    return told(operation, {"error": "no"}, status=status, shape=shape, intent=intent)


@pytest.mark.parametrize("operation", ["createConversation", "sendMessage"])
@pytest.mark.parametrize("status", [402, 403, 409, 413, 422, 507])
def test_what_is_used_up_is_a_note_and_no_failure(operation: str, status: int) -> None:
    quotas = Quotas()
    assert broken(quotas, taken(operation)) == []
    assert broken(quotas, refused(operation, status)) == []
    (note,) = quotas.notes
    assert "took 1" in note
    assert str(status) in note


def test_a_refusal_counts_once_the_same_form_is_taken_again() -> None:
    quotas = Quotas()
    assert broken(quotas, taken("createConversation")) == []
    assert broken(quotas, refused("createConversation", 409)) == []
    assert broken(quotas, taken("createConversation")) == ["CONV-1"]
    assert quotas.notes == []


def test_what_was_never_taken_is_no_quota() -> None:
    quotas = Quotas()
    assert broken(quotas, taken("createConversation")) == []
    assert broken(quotas, refused("sendMessage", 422)) == ["MSG-1"]
    assert broken(quotas, refused("createConversation", 403, shape="node")) == ["CONV-1"]


@pytest.mark.parametrize("status", [400, 404, 500])
def test_other_refusals_are_no_quota(status: int) -> None:
    quotas = Quotas()
    assert broken(quotas, taken("sendMessage")) == []
    assert broken(quotas, refused("sendMessage", status)) == ["MSG-1"]


def test_a_workspace_that_is_ensured_again_uses_nothing_up() -> None:
    quotas = Quotas()
    assert broken(quotas, taken("createWorkspace")) == []
    again = told("createWorkspace", {}, status=409, again=True, shape="curl")
    assert broken(quotas, again) == ["WS-2"]
