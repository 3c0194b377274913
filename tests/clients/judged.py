"""The published clients, judged by `sendpoll client`: what each survives of right servers and real networks.

python -m tests.clients.judged            judge them, and tell what differs from the file
python -m tests.clients.judged --write    and write judged.json, of which README.md shows the table
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from sendpoll.conformance.client.client_run import PATIENCE, judge_client
from sendpoll.conformance.client.running.command import Command
from sendpoll.conformance.client.running.program import End, Job, Program, Ran
from sendpoll.conformance.results.judgement import Judgement
from sendpoll.schemas.catalogue import Level, Subject, load_catalogue
from tests.clients.runners import CLIENTS, Options, run_client, unavailable

JUDGED = Path(__file__).with_name("judged.json")
NAMES = ("curl", "python", "node", "browser", "dart")


class PublishedPage:
    """The browser's client, whose user sees the console."""

    name = "client.html"
    at_once = 6

    def run(self, job: Job) -> Ran:
        told = job.told
        options = Options(workspace=told.workspace, stop=job.endless)
        outcome = run_client("browser", told.url, told.token, told.message, 2 * job.patience, options)
        end = End.QUIET if outcome.timed_out else End.ITSELF
        code = None if outcome.timed_out else outcome.exit_code
        return Ran(outcome.stdout, outcome.stderr, code, end, outcome.seconds)

    def close(self) -> None:
        """The browser is shared, and ends with the process."""


def program(name: str) -> Program:
    client = CLIENTS[name]
    return PublishedPage() if client.command is None else Command(client.command())


def judged(name: str) -> dict[str, str]:
    """Requirement id to its verdict, of one client."""
    os.environ.update(CLIENTS[name].environment)
    report = judge_client(program(name), Judgement(), PATIENCE, lambda _: None)
    return {row["id"]: row["verdict"] for row in report["requirements"]}


def as_json(content: Mapping[str, Mapping[str, str]]) -> str:
    """The data file's text."""
    return json.dumps(content, indent=1) + "\n"


def table(content: Mapping[str, Mapping[str, str]]) -> str:
    """The rows that not everybody keeps, as Markdown."""
    letters = [CLIENTS[name].letter for name in content]
    lines = [f"| the client must, or should | {' | '.join(letters)} |", f"|---|{':-:|' * len(letters)}"]
    for row in load_catalogue(Subject.CLIENT).checked:
        verdicts = [content[name][row.id] for name in content]
        if "fail" in verdicts:
            cells = " | ".join("breaks" if verdict == "fail" else "" for verdict in verdicts)
            level = "" if row.level is Level.MUST else " (should)"
            title = row.title.replace("|", "\\|")
            lines.append(f"| {row.id}{level}: {title} | {cells} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Judge them; 1 where something differs from the file."""
    parser = argparse.ArgumentParser(prog="python -m tests.clients.judged")
    parser.add_argument("--write", action="store_true", help=f"write {JUDGED.name} from what was seen")
    parser.add_argument("only", nargs="*", metavar="CLIENT", help=f"only these of {', '.join(NAMES)}")
    chosen = parser.parse_args()
    if missing := [why for why in map(unavailable, NAMES) if why]:
        sys.exit(f"every client is needed: {missing[0]}")
    if chosen.write and chosen.only:
        parser.error("--write needs all of them; leave the names out")
    known = json.loads(JUDGED.read_text(encoding="utf-8")) if JUDGED.exists() else {}
    seen = {name: judged(name) for name in chosen.only or NAMES}
    for name, verdicts in seen.items():
        failed = [row for row, verdict in verdicts.items() if verdict == "fail"]
        differs = [row for row, verdict in verdicts.items() if known.get(name, {}).get(row) != verdict]
        print(f"{name:8} breaks {', '.join(failed)}; differs in {', '.join(differs) or 'nothing'}")
    if chosen.write:
        JUDGED.write_text(as_json(seen), encoding="utf-8")
    return int(any(known.get(name) != verdicts for name, verdicts in seen.items()))


if __name__ == "__main__":
    sys.exit(main())
