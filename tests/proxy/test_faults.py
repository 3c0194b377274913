"""Rules of faults: read from the command line and from files, refused with the mend, drawn by seed, chance and turn."""

from __future__ import annotations

from pathlib import Path

import pytest

from sendpoll.proxy.faults import FaultDice, FaultError, FaultKind, FaultRule, load_faults, parse_fault


def test_a_rule_of_the_command_line_is_read() -> None:
    assert parse_fault("refuse,call=message,chance=5%,every=2,status=429,retry_after=3") == FaultRule(
        FaultKind.REFUSE, "sendMessage", 0.05, 2, status=429, retry_after=3
    )
    assert parse_fault("delay, seconds=0.1..0.5, turn=7") == FaultRule(FaultKind.DELAY, turn=7, seconds=(0.1, 0.5))
    assert parse_fault("jitter,seconds=0.3").seconds == (0.0, 0.3)
    assert parse_fault("stale").call == parse_fault("duplicate,call=poll").call == "pollTask"


def test_a_file_says_the_same(tmp_path: Path) -> None:
    file = tmp_path / "network.yaml"
    file.write_text("faults:\n- {fault: cut, call: poll, chance: 0.5}\n- {fault: delay, seconds: 0.1..0.2}\n", "utf-8")
    assert load_faults(file) == [parse_fault("cut,call=poll,chance=0.5"), parse_fault("delay,seconds=0.1..0.2")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rest", "'rest"),
        ("reset,call=polls", '"polls" is none of workspace, conversation, message, poll'),
        ("reset,chance", "'chance' has no value"),
        ("reset,chance=0", "chance"),
        ("reset,chance=150%", "a number from 0 to 1"),
        ("reset,often=1", "'often' is not known here"),
        ("delay,seconds=soon", "write seconds, such as 0.2 or 0.1..0.5"),
        ("delay,seconds=3..1", "write seconds, such as 0.2 or 0.1..0.5"),
        ("refuse,status=404", "none of 429, 503"),
        ("duplicate,call=message", "duplicate happens to polls alone"),
        ("every=2", "none of delay"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(text: str, told: str) -> None:
    with pytest.raises(FaultError) as refused:
        parse_fault(text)
    assert told.strip("'") in str(refused.value)


def test_a_file_that_makes_no_sense_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "network.yaml"
    file.write_text("faults:\n- fault: cut\n  chance: 2\n", "utf-8")
    with pytest.raises(FaultError, match=r"network\.yaml: faults/0/chance \(line 3\)"):
        load_faults(file)


def kinds(rules: list[FaultRule], operations: list[str], seed: int = 0) -> list[str]:
    dice = FaultDice(rules, seed)
    return [str(drawn.kind) if (drawn := dice.draw(operation)) else "" for operation in operations]


def test_turns_and_every_so_many_count_the_calls_that_are_meant() -> None:
    polls = ["pollTask", "sendMessage"] * 4
    assert kinds([parse_fault("cut,call=poll,turn=2")], polls) == ["", "", "cut", "", "", "", "", ""]
    assert kinds([parse_fault("cut,call=poll,every=2")], polls) == ["", "", "cut", "", "", "", "cut", ""]
    assert kinds([parse_fault("cut")], ["", "pollTask"]) == ["", "cut"]


def test_the_first_rule_that_hits_is_the_one() -> None:
    rules = [parse_fault("cut,every=2"), parse_fault("reset")]
    assert kinds(rules, ["pollTask"] * 4) == ["reset", "cut", "reset", "cut"]


def test_a_seed_draws_the_same_again_and_chances_are_what_they_say() -> None:
    rules, polls = [parse_fault("cut,chance=20%")], ["pollTask"] * 5000
    assert kinds(rules, polls, seed=7) == kinds(rules, polls, seed=7) != kinds(rules, polls, seed=8)
    assert 0.17 < kinds(rules, polls).count("cut") / len(polls) < 0.23
