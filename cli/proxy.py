"""`sendpoll proxy`: stand between clients and a server, record and judge what goes by, and break the network."""

from __future__ import annotations

import dataclasses
import sys
import time
from pathlib import Path
from typing import Any

import click

from sendpoll.cli.help_page import Command, Group
from sendpoll.cli.judging import (
    EXIT_CODES,
    JUDGE,
    REPORT,
    check_writable,
    judgement_of,
    judging_options,
    known_failures,
    publish,
)
from sendpoll.cli.target_options import SERVER, made_ready, target_of, target_options
from sendpoll.conformance.recordings.traffic_judge import TrafficJudge
from sendpoll.core.interruption import Interruption
from sendpoll.core.network_cost import NetworkJson
from sendpoll.core.reports.console import consoles
from sendpoll.core.reports.files import UnwrittenError, json_text, write_file
from sendpoll.core.target.target import Target
from sendpoll.core.target.url import TargetError, is_loopback
from sendpoll.proxy.faults import FaultError, FaultRule, load_faults, parse_fault
from sendpoll.proxy.relay import ProxyOrder, ProxyServer
from sendpoll.proxy.watching import Watching
from sendpoll.schemas.catalogue import Subject

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_GROUPS = (
    dataclasses.replace(SERVER, essential=("target_file",), more=("token", *SERVER.more)),
    Group("Listen", ("listen",), ("quiet",)),
    Group("Break the network", ("faults", "network"), ("seed",)),
    dataclasses.replace(JUDGE, essential=("only",), more=("level", "strict", "baseline", *JUDGE.more)),
    REPORT,
)
_EXAMPLES = (
    "sendpoll proxy https://agent.example --report-dir report",
    "sendpoll proxy http://localhost:8091 --fault reset,call=poll,chance=10%",
    "sendpoll proxy http://localhost:8091 --network mobile.yaml --seed 1",
)
_EXITS = {**EXIT_CODES, 0: "nobody at fault", 1: "somebody at fault"}


@click.command(cls=Command, groups=_GROUPS, examples=_EXAMPLES, exit_codes=_EXITS)
@click.argument("url", required=False)
@target_options
@click.option(
    "--listen", metavar="HOST:PORT", default="127.0.0.1:0", help="Where.  [default: a free port of 127.0.0.1]"
)
@click.option("--quiet", is_flag=True, help="Tell nothing as it happens.")
@click.option("--fault", "faults", multiple=True, metavar="RULE", help="Such as cut,call=poll,every=5; repeatable.")
@click.option("--network", type=_FILE, metavar="FILE", help="A file of such rules (YAML).")
@click.option("--seed", type=int, metavar="N", default=0, show_default=True, help="Of what happens by chance.")
@judging_options(Subject.TRAFFIC)
def proxy(**options: Any) -> None:
    """Pass what clients and the server at URL say to each other, and tell who is at fault, until Ctrl-C.

    Every byte goes by as it came, but for the Host that names the proxy, which becomes the server's. With --report-dir
    the exchanges are written down as they come, as recording.ndjson and recording.har, and the reports at the end.

    A rule of --fault is a fault, then where it happens: call=workspace, conversation, message or poll; chance=5%,
    every=3 or turn=2; seconds=0.5 or 0.1..0.5. Faults are delay, jitter, drop-before and drop-after (the server has
    acted), reset and cut (in the middle of the body), duplicate, drip, refuse (status=429 or 503, retry_after=1), stale
    (an old answer from a cache) and pool (all idle connections are closed).
    """
    target = target_of(options["url"], options)
    if target is None:
        raise click.UsageError("name the server: sendpoll proxy URL, or --target FILE")
    with Interruption() as interruption:
        raise SystemExit(_stand_between(target, options, interruption))


def _stand_between(target: Target, options: dict[str, Any], interruption: Interruption) -> int:
    known, previous = known_failures(options["baseline"], Subject.TRAFFIC)
    judgement = judgement_of(options, Subject.TRAFFIC)
    host, port = _listening(options["listen"])
    rules = _rules(options)
    check_writable(options)
    target = made_ready(target, options)
    _, err = consoles()
    folder: Path | None = options["report_dir"]
    secrets = target.secrets

    def say(line: str, is_bad: bool = True) -> None:
        if not options["quiet"]:
            err.print(f"{time.strftime('%H:%M:%S')}  {line}", style="red" if is_bad else "", soft_wrap=True)

    judge = TrafficJudge(judgement, secrets=secrets, base_url=target.base_url)
    watching = Watching(judge, secrets, say, folder)
    try:
        server = ProxyServer(ProxyOrder(target, host, port, rules, options["seed"]), watching.see, say)
    except TargetError as problem:
        raise click.UsageError(str(problem)) from problem

    def ready(url: str) -> None:
        click.echo(f"Listening on {url}, for {target.base_url}.")
        click.echo("Point clients there; Ctrl-C ends it and reports.", err=True)
        sys.stdout.flush()

    with interruption.during(lambda _: server.stop()):
        try:
            server.run(ready)
        except OSError as problem:
            raise click.UsageError(f"--listen {options['listen']}: {problem.strerror or problem}") from problem
        finally:
            watching.close()
    cost = server.cost.as_json()
    report = judge.report(_notes(cost) if rules else [])
    code = publish(known(report), options, previous)
    if folder is not None and rules:
        write_file(folder / "network.json", json_text(cost))
    if watching.unwritten:
        raise UnwrittenError(watching.unwritten)
    return code


def _listening(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) <= 65535):
        raise click.UsageError(
            f"--listen {text!r}: write it as HOST:PORT, such as 127.0.0.1:8092; port 0 is a free one"
        )
    host = host.removeprefix("[").removesuffix("]") or "127.0.0.1"
    if not is_loopback(host):
        click.echo(
            f"Warning: others can reach the server through {host}, and what they send is written down.", err=True
        )
    return host, int(port)


def _rules(options: dict[str, Any]) -> list[FaultRule]:
    try:
        listed = load_faults(options["network"]) if options["network"] else []
        return [*map(parse_fault, options["faults"]), *listed]
    except FaultError as problem:
        raise click.UsageError(str(problem)) from problem


def _notes(cost: NetworkJson) -> list[str]:
    notes = []
    for one in cost["faults"]:
        took = f", at most {one['recover_max_s']:.1f} s later" if one["recover_max_s"] is not None else ""
        notes.append(
            f"On purpose: {one['fault']}, {one['injected']} times; {one['recovered']} times its client had what it "
            f"wanted all the same{took}."
        )
    if cost["doubled_messages"]:
        notes.append(f"{cost['doubled_messages']} messages were sent again, word for word, and taken twice.")
    return notes
