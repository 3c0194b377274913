"""The most valuable messages first, and none above the budget."""

from __future__ import annotations

import pytest

from sendpoll.conformance.server.probing.message_plan import PARTS, plan_messages


@pytest.mark.parametrize("budget", range(1, 40))
def test_no_plan_goes_above_its_budget(budget: int) -> None:
    plan = plan_messages(budget)
    assert plan.messages + plan.held <= budget


def test_a_larger_budget_does_no_less() -> None:
    plans = [plan_messages(budget) for budget in (1, 2, 4, 8, 16)]
    assert [plan.messages for plan in plans] == sorted(plan.messages for plan in plans)
    assert [plan.is_cut for plan in plans] == [True, True, True, True, False]
    assert plans[-1].parts == PARTS


def test_two_messages_of_one_conversation_come_first_where_they_are_affordable() -> None:
    assert [part.name for part in plan_messages(4).parts if part.messages] == ["queue"]
    assert [part.name for part in plan_messages(2).parts if part.messages] == ["curl"]


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        (("BODY-2", "AUTH-1", "OWN-2", "FROM-2"), {"first"}),
        (("QUEUE-1",), {"first", "queue"}),
        (("FROM-4", "BODY-1"), {"first", "long"}),
        (("POLL-8",), {part.name for part in PARTS}),
    ],
)
def test_only_what_the_rows_need_is_sent(rows: tuple[str, ...], names: set[str]) -> None:
    plan = plan_messages(16, rows)
    assert {part.name for part in plan.parts} == names
    assert not plan.is_cut
