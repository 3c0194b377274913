"""Who breaks on what: every fault of the table against the real clients.

    python -m tests.clients.matrix            run it all, and tell what differs from the table and the catalogue
    python -m tests.clients.matrix --write    and write schemas/who_breaks.json, which reports show

A client *breaks* if it ends with an error, shows another text than the task's, never ends, or has its message carried
out twice. What a run waits for is bounded by what the server sees (a client that polls on and on, or that waits for an
answer which will not come) rather than by the clock; the deadline is only a guard.
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.clients.fault import MESSAGE, TOKEN, Fault, events
from tests.clients.faults import FAULTS
from tests.clients.faulty import FaultyServer, serving
from tests.clients.runners import CLIENTS, Options, Outcome, rendering, run_client, unavailable

WHO_BREAKS = Path(__file__).parents[2] / "schemas" / "who_breaks.json"
LETTERS = "CPNBD"
_FIRST_LINE = "Who breaks on what: every fault of the table against the real clients."
AT_ONCE = 12
"""Runs at a time: most of a run is sleeping between polls."""
_GUARD = 120.0
_PAGE_REQUESTS = 60

CHUNKS = tuple(event["data"]["content"] for event in events(MESSAGE) if event["type"] == "text_chunk")


@dataclass(frozen=True, slots=True)
class Run:
    """One client against one fault."""

    client: str
    outcome: Outcome
    failure: str
    """In what way it broke, in a few words; empty if it worked."""

    @property
    def letter(self) -> str:
        return CLIENTS[self.client].letter


def observe(fault: Fault, client: str) -> Run:
    """Run one client against one fault."""
    with serving(fault) as server:
        options = Options(
            stop=server.endless,
            request_limit=_PAGE_REQUESTS,
            environment={"SENDPOLL_CLIENT_TIMEOUT": fault.client_timeout},
        )
        outcome = run_client(client, server.url, TOKEN, MESSAGE, _GUARD, options)
        return Run(client, outcome, failure(fault, client, outcome, server))


def failure(fault: Fault, client: str, outcome: Outcome, server: FaultyServer) -> str:
    """In what way that run went wrong; empty if the user has what a right server would have given."""
    if outcome.timed_out:
        return "does not end"
    if fault.error_shown:
        return "" if fault.error_shown in outcome.stderr else f"hides the error: {_last_line(outcome.stderr)}"
    if outcome.exit_code != 0:
        return f"fails: {_last_line(outcome.stderr)}"
    if outcome.answer != rendering(client, CHUNKS):
        return f"shows {outcome.answer!r}"
    if len(server.api.messages) != 1:
        return f"has its message carried out {len(server.api.messages)} times"
    return ""


def _last_line(text: str) -> str:
    """The line that says most: what an exception is, which stands last in Python and under a heading in Dart."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if "Unhandled exception:" in lines:
        return lines[lines.index("Unhandled exception:") + 1][:200]
    telling = [line for line in lines if "Error" in line]
    return (telling or lines or ["no word on standard error"])[-1][:200]


def possible(fault: Fault) -> bool:
    """Whether this machine can show that fault: what an IPv6 address breaks depends on what it calls localhost."""
    if ":" not in fault.host:
        return True
    if {address[4][0] for address in socket.getaddrinfo("localhost", None)} != {"127.0.0.1"}:
        return False
    try:
        socket.create_server((fault.host, 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def broken(runs: Iterable[Run]) -> str:
    """The letters of the clients that broke in any of the runs, in the catalogue's order."""
    letters = {run.letter for run in runs if run.failure}
    return "".join(letter for letter in LETTERS if letter in letters)


def who_breaks(breaks: Mapping[str, set[str]]) -> dict[str, dict[str, str]]:
    """The data file's content: for each requirement, each client's word."""
    return {
        requirement: {letter: "breaks" if letter in letters else "works" for letter in LETTERS}
        for requirement, letters in breaks.items()
    }


def as_tabled() -> dict[str, set[str]]:
    """What the table says of each requirement: the letters of all of its faults."""
    return _by_requirement({fault: fault.breaks for fault in FAULTS})


def _by_requirement(seen: Mapping[Fault, str]) -> dict[str, set[str]]:
    letters: dict[str, set[str]] = {}
    for fault, broke in seen.items():
        letters.setdefault(fault.requirement, set()).update(broke)
    return letters


def as_json(content: Mapping[str, Mapping[str, str]]) -> str:
    """The data file's text."""
    return json.dumps(content, indent=2) + "\n"


def told(run: Run) -> str:
    """A line about one run."""
    return f"    {run.client:14} {run.failure or 'works'}"


def submitted(pool: Executor, fault: Fault) -> list[Future[Run]]:
    """All runs of one fault, begun."""
    return [pool.submit(observe, fault, client) for client in fault.clients]


def main() -> int:
    """Run the matrix; 1 if anything differs from the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.clients.matrix", description=_FIRST_LINE)
    parser.add_argument("--write", action="store_true", help=f"write schemas/{WHO_BREAKS.name} from what was seen")
    parser.add_argument("only", nargs="*", metavar="REQUIREMENT", help="only the faults of these, such as POLL-8")
    chosen = parser.parse_args()
    if chosen.write and chosen.only:
        parser.error("--write needs the whole matrix; leave the requirements out")
    if missing := [why for why in map(unavailable, CLIENTS) if why]:
        sys.exit(f"the matrix needs every client: {missing[0]}")
    faults = [fault for fault in FAULTS if not chosen.only or fault.requirement in chosen.only]
    seen = _seen(faults)
    if chosen.write:
        WHO_BREAKS.write_text(as_json(who_breaks(_by_requirement(seen))), encoding="utf-8")
    return 0 if seen == {fault: fault.breaks for fault in faults} else 1


def _seen(faults: list[Fault]) -> dict[Fault, str]:
    """The letters that each fault broke, told as they come; of one that cannot be shown here, what the table says."""
    seen: dict[Fault, str] = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = [(fault, submitted(pool, fault) if possible(fault) else []) for fault in faults]
        for fault, futures in waiting:
            runs = [future.result() for future in futures]
            seen[fault] = broken(runs) if runs else fault.breaks
            remark = "" if seen[fault] == fault.breaks else f"but the table has {fault.breaks or 'nobody'}"
            remark = remark if runs else "cannot be shown on this machine"
            print(f"{fault.requirement:8} {fault.name:40} {seen[fault] or 'nobody':7} {remark}".rstrip())
            print("\n".join(map(told, runs)), flush=True)
    return seen


if __name__ == "__main__":
    sys.exit(main())
