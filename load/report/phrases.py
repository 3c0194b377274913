"""Numbers of a load result as its reports phrase them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sendpoll.core.text.units import NOTHING, counted, quantity, short_seconds


def interval(estimate: Mapping[str, Any] | None, unit: str) -> str:
    """The interval of an estimate; empty where there is none. An open end is said, not guessed."""
    if estimate is None:
        return ""
    low, high = estimate["low"], estimate["high"]
    if low is None and high is None:
        return "too few to bound"
    if low is None or high is None:
        return f"at most {quantity(high, unit)}" if low is None else f"at least {quantity(low, unit)}"
    return f"{quantity(low, unit)} to {quantity(high, unit)}"


def value_of(estimate: Mapping[str, Any] | None, unit: str) -> str:
    """The value of an estimate."""
    return quantity(None if estimate is None else estimate["value"], unit)


BOOKED: Final = ("good", "slow", "failed", "refused", "timed_out", "abandoned")
"""How a task that was started can end."""


def booked(ledger: Mapping[str, Any]) -> str:
    """How the tasks ended, such as `50 good, 2 slow, 0 failed, 0 refused, 0 timed out, 0 abandoned`."""
    return ", ".join(f"{ledger[column]:,} {column.replace('_', ' ')}" for column in BOOKED)


def extra_polls(polls: Mapping[str, Any]) -> str:
    """How many polls are in no other number, and what they were made for."""
    return f"{counted(polls['extra'], 'poll')} to compare readers and overlapping messages"


def replicas_between(row: Mapping[str, Any]) -> str:
    """How many replicas the ends of the interval ask for, such as `24 to 29`, or the one end that it has."""
    fewest, most = row["fewest"], row["most"]
    if fewest is None or most is None:
        ends = [f"at least {fewest:,}" if fewest else "", f"at most {most:,}" if most else ""]
        return "".join(ends) or NOTHING
    return f"{fewest:,} to {most:,}"


def ratio(row: Mapping[str, Any]) -> str:
    """A ratio of two runs with its interval, such as `1.31x (1.12 to 1.55)`."""
    if row["ratio"] is None:
        return NOTHING
    ends = [NOTHING if end is None else f"{end:.2f}" for end in (row["low"], row["high"])]
    return f"{row['ratio']:.2f}x ({ends[0]} to {ends[1]})"


def own_reasons(result: Mapping[str, Any]) -> list[str]:
    """The reasons of a verdict that no row of the gates tells already."""
    told = {f"{gate['objective']}: {gate['sentence']}" for gate in result["gates"]}
    return [reason for reason in result["reasons"] if reason not in told]


def _network(result: Mapping[str, Any]) -> Iterator[str]:
    network, ledger = result.get("network"), result["ledger"]
    if network is None:
        return
    lost = ledger["failed"] + ledger["timed_out"] + ledger["refused"]
    yield (
        f"over a network that was broken on purpose: {lost:,} of {counted(ledger['started'], 'task')} lost, "
        f"{counted(network['doubled_messages'], 'message')} taken twice"
    )
    for one in network["faults"]:
        took = ""
        if one["recover_max_s"] is not None:
            p50, most = short_seconds(one["recover_p50_s"]), short_seconds(one["recover_max_s"])
            took = f", {p50} later at the median and {most} at most"
        yield f"{one['fault']}: {one['injected']:,} times; got over {one['recovered']:,} times{took}"


def notes(result: Mapping[str, Any]) -> list[str]:
    """What a reader must know besides, a sentence each: that the run was ended, that a name is several addresses."""
    ended = [result["aborted"]] if "aborted" in result else []
    ended += [result["restart"]["sentence"]] if "restart" in result else []
    ended += list(_network(result))
    made = result["target"].get("connections", {})
    if len(made) < 2:
        return ended
    told = ", ".join(f"{address} {count:,}" for address, count in made.items())
    return [*ended, f"connections were spread over the {len(made)} addresses of the name: {told}"]
