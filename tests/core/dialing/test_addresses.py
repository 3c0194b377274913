"""Names with several addresses: all families in turn, one that is dead passed over, all of them used."""

from __future__ import annotations

import socket
import time
from collections import Counter

import pytest

from sendpoll.core.dialing.addresses import AddressBook, in_turns, reach
from sendpoll.core.dialing.sockets import THREADS, Address
from tests.core.dialing.servers import listening, swallowing


def at(host: str, port: int) -> Address:
    return socket.AF_INET, socket.SOCK_STREAM, 6, (host, port)


def v6(host: str, port: int) -> Address:
    return socket.AF_INET6, socket.SOCK_STREAM, 6, (host, port, 0, 0)


def test_the_families_take_turns_and_the_first_stays_first() -> None:
    six, four = [v6(f"::{n}", 1) for n in (1, 2, 3)], [at(f"127.0.0.{n}", 1) for n in (1, 2)]
    assert in_turns([*six, *four]) == [six[0], four[0], six[1], four[1], six[2]]
    assert in_turns(four) == four
    assert in_turns([]) == []


def test_an_address_that_swallows_packets_is_passed_over() -> None:
    with listening("127.0.0.2") as (port, seen), swallowing("127.0.0.3", port):
        reached = reach([at("127.0.0.3", port), at("127.0.0.2", port)], time.monotonic() + 20, THREADS)
        assert reached.address == at("127.0.0.2", port)
        assert reached.passed == (at("127.0.0.3", port),)
        reached.socket.sendall(b"x")
        assert reached.socket.recv(100).startswith(b"HTTP/1.1 404")
        reached.socket.close()
    assert seen == Counter({"127.0.0.2": 1})


def test_an_address_that_refuses_is_passed_over_at_once() -> None:
    with listening("127.0.0.2") as (port, _):
        reached = reach([at("127.0.0.3", port), at("127.0.0.2", port)], time.monotonic() + 20, THREADS)
        assert (reached.address, reached.passed) == (at("127.0.0.2", port), (at("127.0.0.3", port),))
        reached.socket.close()


def test_where_each_refuses_the_first_refusal_is_told() -> None:
    with listening("127.0.0.2") as (port, _):
        pass
    with pytest.raises(ConnectionRefusedError):
        reach([at("127.0.0.2", port), at("127.0.0.3", port)], time.monotonic() + 20, THREADS)
    with pytest.raises(OSError, match="no address"):
        reach([], time.monotonic() + 20, THREADS)


def test_where_none_answers_the_time_is_over() -> None:
    with listening("127.0.0.4") as (port, _), swallowing("127.0.0.3", port), pytest.raises(TimeoutError):
        reach([at("127.0.0.3", port)], time.monotonic() + 0.3, THREADS)


def book(*addresses: Address, spread: bool) -> AddressBook:
    return AddressBook("x", 1, lambda *_: list(addresses), spread=spread)


def use(one: AddressBook, times: int) -> dict[str, int]:
    for _ in range(times):
        reached = reach(one.order(1.0), time.monotonic() + 20, THREADS)
        reached.socket.close()
        one.took(reached)
    return dict(one.connections)


def test_connections_are_spread_over_all_addresses_or_keep_to_the_first() -> None:
    hosts = ("127.0.0.2", "127.0.0.3", "127.0.0.4")
    with listening(*hosts) as (port, _):
        addresses = [at(host, port) for host in hosts]
        assert use(book(*addresses, spread=True), 9) == {f"{host}:{port}": 3 for host in hosts}
        assert use(book(*addresses, spread=False), 9) == {f"{hosts[0]}:{port}": 9} | {
            f"{h}:{port}": 0 for h in hosts[1:]
        }


def test_an_address_that_did_not_answer_is_not_waited_for_again() -> None:
    with listening("127.0.0.2", "127.0.0.4") as (port, _), swallowing("127.0.0.3", port):
        one = book(at("127.0.0.3", port), at("127.0.0.2", port), at("127.0.0.4", port), spread=True)
        use(one, 1)
        assert [address[3][0] for address in one.order(1.0)][-1] == "127.0.0.3"
        counts = use(one, 6)
    assert counts[f"127.0.0.3:{port}"] == 0
    assert min(counts[f"127.0.0.2:{port}"], counts[f"127.0.0.4:{port}"]) >= 3


def test_a_name_is_looked_up_again_when_nothing_answered() -> None:
    asked: list[str] = []

    def look_up(host: str, port: int, _: float) -> list[Address]:
        asked.append(host)
        return [at("127.0.0.1", port)]

    one = AddressBook("name", 1, look_up, spread=True)
    one.order(1.0)
    one.order(1.0)
    assert asked == ["name"]
    one.forget()
    one.order(1.0)
    assert asked == ["name", "name"]
