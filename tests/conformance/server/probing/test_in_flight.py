"""Which tasks move, which wait and which are stuck, as the answers of a run tell."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from sendpoll.conformance.http.exchange import Exchange, Intent, Timing
from sendpoll.conformance.server.probing.admission import Admission
from sendpoll.conformance.server.probing.in_flight import InFlight, waited
from sendpoll.core.target.traits import Beyond, Scope, TaskLimit, Traits
from tests.conformance.exchanges import told

PATIENCE = 120.0


@dataclass
class Story:
    """A run told in exchanges, on a clock of its own."""

    now: float = 1000.0
    in_flight: InFlight = field(init=False)
    numbers: int = 0
    events: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.in_flight = InFlight(lambda: self.now)

    def _at(self, exchange: Exchange, **changes: Any) -> Exchange:
        self.numbers += 1
        request = replace(exchange.request, **changes)
        timing = Timing(self.now, self.now, self.now, self.now, 0.0)
        return replace(exchange, number=self.numbers, request=request, timing=timing)

    def send(self, task: str, workspace: str = "ws1") -> None:
        target = f"/api/v1/workspaces/{workspace}/messages"
        body = b'{"conversation_id": "c1", "message": "m"}'
        self.in_flight.note(self._at(told("sendMessage", {"task_id": task}), target=target, body=body))
        self.events[task] = 0

    def refused(self, status: int = 409) -> Exchange:
        return self._at(told("sendMessage", {"error": {}}, status=status))

    def poll(self, task: str, *, moves: bool = False, status: str = "running") -> None:
        self.events[task] += moves
        events = [{"type": "text_chunk", "data": {"content": "x"}}] * moves
        data = {"status": status, "next_offset": self.events[task], "events": events}
        self.in_flight.note(self._at(told("pollTask", {"data": data}), target=f"/api/v1/tasks/{task}?from=0"))

    def stuck(self, task: str) -> bool:
        return self.in_flight.stuck_for(task, PATIENCE) is not None


# ---- patience ----


def test_a_task_that_began_and_stands_still_is_stuck() -> None:
    story = Story()
    story.send("a")
    story.now += 1
    story.poll("a", moves=True)
    story.now += PATIENCE - 1
    assert not story.stuck("a")
    story.now += 2
    assert story.stuck("a")


def test_a_task_that_goes_on_for_hours_is_not() -> None:
    story = Story()
    story.send("a")
    for _ in range(100):
        story.now += PATIENCE - 1
        story.poll("a", moves=True)
        assert not story.stuck("a")


def test_a_task_that_waits_while_others_move_is_queued() -> None:
    story = Story()
    story.send("a")
    story.send("b")
    for _ in range(50):
        story.now += 60
        story.poll("a", moves=True)
        story.poll("b")
        assert not story.stuck("b")
    story.poll("a", moves=True, status="completed")
    story.now += 2 * PATIENCE + 1
    assert story.stuck("b")


def test_a_task_that_shows_nothing_while_nothing_else_runs_is_stuck_later() -> None:
    story = Story()
    story.send("a")
    story.now += 2 * PATIENCE - 1
    assert not story.stuck("a")
    story.now += 2
    assert story.stuck("a")


def test_a_task_may_take_as_long_as_others_took_and_longer() -> None:
    """An agent that thinks for five minutes before its first word does so each time."""
    story = Story()
    story.send("a")
    story.now += 300
    story.poll("a", moves=True, status="completed")
    story.send("b")
    story.now += 800
    assert not story.stuck("b")
    story.now += 200
    assert story.stuck("b")


def test_a_task_that_is_over_is_never_stuck() -> None:
    story = Story()
    story.send("a")
    story.poll("a", moves=True, status="failed")
    story.now += 1e6
    assert not story.stuck("a")


# ---- who is asked after ----


def test_a_task_that_nobody_reads_is_asked_after_as_often_as_its_length_needs() -> None:
    story = Story()
    story.send("a")
    asked = 0
    for _ in range(3600):
        story.now += 1
        if list(story.in_flight.unread()):
            story.poll("a")
            asked += 1
    assert 30 < asked < 200


def test_a_task_that_is_to_be_left_alone_is_not_asked_after() -> None:
    story = Story()
    story.send("a")
    story.in_flight.flights["a"].left_alone = True
    story.now += 60
    assert list(story.in_flight.unread()) == []


def test_the_next_end_is_expected_by_what_others_took() -> None:
    story = Story()
    story.send("a")
    story.now += 40
    assert story.in_flight.seconds_to_an_end() == 40  # nobody knows: it may be halfway
    story.poll("a", moves=True, status="completed")
    story.send("b")
    story.now += 30
    assert story.in_flight.seconds_to_an_end() == 10
    story.now += 50
    assert story.in_flight.seconds_to_an_end() == 40  # it takes longer than any before it
    story.poll("b", moves=True, status="completed")
    assert story.in_flight.seconds_to_an_end() == 0


# ---- what is learnt ----


def test_times_count_from_when_a_task_was_seen_to_begin() -> None:
    story = Story()
    story.send("a")
    story.send("b")
    story.now += 1
    story.poll("a", moves=True)
    story.now += 9
    story.poll("a", moves=True, status="completed")
    story.now += 1
    story.poll("b", moves=True)
    story.now += 10
    story.poll("b", moves=True, status="completed")
    flight = story.in_flight.flights["b"]
    assert waited(flight)
    assert sorted(story.in_flight.seconds()) == [10.0, 10.0]
    assert story.in_flight.first_events() == [1.0]


def test_a_task_that_waited_and_was_seen_at_its_end_alone_took_nobody_knows_how_long() -> None:
    """Else an agent would seem to be quick, and be asked as such."""
    story = Story()
    story.send("a")
    story.now += 1
    story.poll("a", moves=True)
    story.send("b")
    story.now += 100
    story.poll("a", moves=True, status="completed")
    story.now += 100
    story.poll("b", moves=True, status="completed")
    assert story.in_flight.seconds() == [101.0]


def test_a_task_that_began_behind_another_runs_from_then_on() -> None:
    story = Story()
    story.send("a")
    story.poll("a", moves=True)
    story.send("b")
    story.poll("a", moves=True, status="completed")
    story.now += 20
    assert story.in_flight.longest_running() == 0
    story.poll("b", moves=True)
    story.now += 30
    assert story.in_flight.longest_running() == 30


def test_a_message_without_conversation_is_noted() -> None:
    story = Story()
    exchange = story.refused(422)
    body = replace(exchange.request, body=b'{"message": "m"}', intent=Intent.PROBE)
    story.in_flight.note(replace(exchange, request=body))
    assert story.in_flight.without_conversation is not None


# ---- how many are begun ----


def admission(story: Story, *, spread: bool = True, declared: Traits | None = None) -> Admission:
    lanes = ("ws1", "ws2", "ws3", "ws4", "ws5", "ws6", "ws7", "ws8")
    return Admission(story.in_flight, lambda number: lanes[number], declared or Traits(), spread=spread)


def free(admitted: Admission) -> str | None:
    """The workspace in which a message could be sent now."""
    with admitted._changed:
        lane = admitted._free_lane()
    return None if lane is None else admitted._lane_name(lane)


def test_one_task_at_first_and_more_as_they_run_side_by_side() -> None:
    story = Story()
    admitted = admission(story)
    assert free(admitted) == "ws1"
    story.send("a")
    assert free(admitted) is None
    story.poll("a", moves=True)
    assert free(admitted) == "ws1"
    story.send("b")
    story.now += 1
    assert free(admitted) is None
    story.poll("b", moves=True)
    assert (admitted._most, admitted.proved) == (4, 1)
    story.now += 1
    story.poll("a")
    story.poll("b")
    assert (admitted.at_once, admitted.proved) == (2, 2)


def test_two_that_follow_each_other_did_not_run_at_the_same_time() -> None:
    """The end of one is seen later than the beginning of the next."""
    story = Story()
    admitted = admission(story)
    story.send("a")
    story.poll("a", moves=True)
    story.send("b")
    story.now += 5
    story.poll("b", moves=True)
    story.now += 1
    story.poll("a", moves=True, status="completed")
    story.poll("b", moves=True)
    assert admitted.proved == 1
    assert waited(story.in_flight.flights["b"]) is True


def test_a_refusal_while_a_task_runs_is_a_limit_and_another_workspace_is_tried() -> None:
    story = Story()
    admitted = admission(story)
    story.send("a")
    story.poll("a", moves=True)
    admitted.refused("ws1", story.refused())
    assert free(admitted) == "ws2"
    story.send("b", "ws2")
    story.poll("b", moves=True)
    story.now += 1
    story.poll("a")
    assert admitted.limits == {Scope.WORKSPACE: TaskLimit(Scope.WORKSPACE, 1, Beyond.REFUSED, 409)}
    assert "409" in admitted.evidence[Scope.WORKSPACE]
    assert "task a ran" in admitted.evidence[Scope.WORKSPACE]
    assert free(admitted) == "ws3"


def test_where_another_workspace_does_not_help_the_limit_is_of_all() -> None:
    story = Story()
    admitted = admission(story)
    story.send("a")
    story.poll("a", moves=True)
    admitted.refused("ws1", story.refused(429))
    admitted.refused("ws2", story.refused(429))
    assert admitted.limits == {Scope.ALL: TaskLimit(Scope.ALL, 1, Beyond.REFUSED, 429)}
    assert free(admitted) is None
    story.poll("a", moves=True, status="completed")
    assert free(admitted) == "ws1"


def test_where_the_user_named_a_workspace_no_other_is_used() -> None:
    story = Story()
    admitted = admission(story, spread=False)
    story.send("a")
    story.poll("a", moves=True)
    admitted.refused("ws1", story.refused())
    assert free(admitted) is None


def test_a_task_that_waits_for_another_is_a_queue() -> None:
    story = Story()
    admitted = admission(story, spread=False)
    story.send("a")
    story.now += 1
    story.poll("a", moves=True)
    story.send("b")
    story.now += 5
    story.poll("a", moves=True)
    story.poll("b")
    assert admitted.limits == {}  # it may only be slow
    assert free(admitted) is None
    story.now += 1
    story.poll("a", moves=True, status="completed")
    story.poll("b", moves=True)
    assert admitted.limits == {Scope.ALL: TaskLimit(Scope.ALL, 1, Beyond.QUEUED)}
    assert free(admitted) is None


def test_a_task_that_was_only_slow_is_no_queue() -> None:
    story = Story()
    admitted = admission(story, spread=False)
    story.send("a")
    story.now += 1
    story.poll("a", moves=True)
    story.send("b")
    story.now += 5
    story.poll("a", moves=True)
    story.poll("b")
    story.poll("b", moves=True)
    story.now += 1
    story.poll("a")
    assert admitted.limits == {}
    assert free(admitted) == "ws1"


@pytest.mark.parametrize(("scope", "used"), [(Scope.WORKSPACE, "ws2"), (Scope.ALL, None)])
def test_declared_limits_are_kept_from_the_start(scope: Scope, used: str | None) -> None:
    story = Story()
    admitted = admission(story, declared=Traits(limits=(TaskLimit(scope, 1, Beyond.REFUSED),)))
    story.send("a")
    story.poll("a", moves=True)
    assert free(admitted) == used
