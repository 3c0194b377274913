"""`sendpoll load`: hold load on a server, judge it, report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sendpoll.cli.broken_network import broken_network
from sendpoll.cli.help_page import Command, Group
from sendpoll.cli.load_options import (
    fleet_of,
    forecast_of,
    load_options,
    outlets_of,
    secret_of,
    sources_of,
    spending_of,
    target_at_hand,
    told_plainly,
)
from sendpoll.cli.target_options import SERVER, secrets_of, target_options
from sendpoll.cli.values import TIME
from sendpoll.core.interruption import Interruption
from sendpoll.core.reports.console import consoles
from sendpoll.core.target.target import Target
from sendpoll.core.target.url import TargetError

if TYPE_CHECKING:
    from sendpoll.load.restarting import RestartOrder
    from sendpoll.load.scenario.scenario import Scenario

_GROUPS = (
    SERVER,
    Group(
        "Load",
        ("users", "duration", "scenario"),
        ("shape", "arrivals", "pacing", "poll_interval", "think", "on_refusal", "seed"),
    ),
    Group("Break", (), ("restart", "at", "restart_wait", "network", "on_outage")),
    Group("Judge", ("slos", "compare"), ("inconclusive", "abort_after")),
    Group("Money", (), ("dry_run", "probe", "max_messages", "max_cost", "cost_per_message")),
    Group("Observe", (), ("observe_urls", "observe_pids", "metrics_port", "metrics_bind", "otlp")),
    Group("Report", ("report_dir",), ("web", "web_port")),
    Group(
        "Generator",
        ("processes",),
        (
            "master",
            "expect_workers",
            "worker",
            "master_host",
            "master_bind",
            "master_port",
            "cluster_secret",
        ),
    ),
)
_EXAMPLES = (
    'sendpoll load http://localhost:8091 --users 20 --slo "ttfe p95 <= 2s"',
    "sendpoll load --target server.yaml --scenario chat --report-dir report",
    "sendpoll load --target server.yaml --users 3000 --processes 4",
    "sendpoll load --target server.yaml --arrivals 3/s --users 200 --duration 5min",
    "sendpoll load",
)
_EXIT_CODES = {
    0: "pass",
    1: "an objective failed",
    2: "usage",
    3: "inconclusive",
    4: "the generator was late or lost something",
    5: "unreachable",
}
_RESULT = click.Path(exists=True, dir_okay=False, path_type=Path)
_SHAPES = click.Choice(["steady", "ramp", "step", "spike", "soak", "arrivals"])


@click.command(cls=Command, groups=_GROUPS, examples=_EXAMPLES, exit_codes=_EXIT_CODES)
@click.argument("url", required=False)
@click.option("--users", "-u", type=click.IntRange(1), metavar="N", help="The most users at once.")
@click.option("--duration", "-t", type=TIME, metavar="TIME", help="Such as 60s or 5min.")
@click.option("--shape", type=_SHAPES, metavar="NAME", help="steady, ramp, step, spike, soak or arrivals.")
@click.option("--arrivals", metavar="RATE", help="Messages at random times, such as 3/s, whoever is free.")
@click.option("--pacing", type=click.Choice(["loop", "grid"]), help="Poll after each answer, or at fixed times.")
@click.option("--inconclusive", type=click.Choice(["inconclusive", "pass", "fail"]), default="inconclusive",
              show_default=True, metavar="AS", help="Undecided objectives are that, pass or fail.")  # fmt: skip
@click.option("--abort-on-fail", "abort_after", type=TIME, is_flag=False, flag_value="0s", metavar="[DELAY]",
              help="End when an objective fails, judged after DELAY.")  # fmt: skip
@click.option("--restart", metavar="COMMAND", help="Of your shell, to restart the server by in the middle of the run.")
@click.option("--at", type=TIME, metavar="TIME", default="60s", show_default=True, help="With --restart: when.")
@click.option("--restart-wait", type=TIME, metavar="TIME", default="60s", show_default=True, help="For it to answer.")
@click.option("--network", type=_RESULT, metavar="FILE", help="Faults of the network (YAML), as of sendpoll proxy.")
@click.option("--on-outage", type=click.Choice(["fail", "wait"]), help="What a user does then: give up as published "
              "clients, or go on.  [default: fail; wait with --restart]")  # fmt: skip
@click.option("--compare", type=_RESULT, metavar="FILE", help="A result.json: tell what got slower since.")
@target_options
@load_options(scenario="smoke")
@click.option("--worker", is_flag=True, help="Work for the master at --master-host.")
@click.option("--master-host", default="127.0.0.1", show_default=True, help="With --worker.")
@click.option("--web", is_flag=True, help="Show the run in Locust's web page too.")
@click.option(
    "--web-port", type=click.IntRange(1, 65535), metavar="N", default=8089, show_default=True, help="With --web."
)
def load(**options: Any) -> None:
    """Hold load on the server at URL, and judge it by objectives.

    Users ensure a workspace, open conversations, send messages and poll their tasks, as the published clients do. Every
    answer is validated, and every task is checked for events that are lost, repeated, changed or of another task.

    Without URL, and without a target file, a reference server is started for the run. Shipped scenarios are burst,
    chat, mobile, overlap, smoke and soak.
    """
    if options["worker"]:
        if options["master"]:
            raise click.UsageError("--master and --worker are two processes: start one with each")
        _work(options)
        return
    scenario = _scenario(options)
    with Interruption() as interruption, target_at_hand(options) as target:
        code = _hold(target, scenario, options, interruption)
    raise SystemExit(code)


def _restart(options: dict[str, Any], scenario: Scenario) -> RestartOrder | None:
    """When and how the server is to be restarted. Raises click.UsageError where the run is over by then."""
    from sendpoll.core.text.units import parse_seconds
    from sendpoll.load.restarting import RestartOrder

    if options["network"] and options["master"]:
        raise click.UsageError("--network is a proxy of this machine; leave --master out, or start sendpoll proxy")
    if not options["restart"]:
        return None
    at, duration = parse_seconds(options["at"]), scenario.shape.duration_s
    if at >= duration:
        raise click.UsageError(f"--at {options['at']}: the run is over by then; name a time before {duration:g} s")
    return RestartOrder(options["restart"], at, parse_seconds(options["restart_wait"]))


def _work(options: dict[str, Any]) -> None:
    from sendpoll.load.engine import EngineError
    from sendpoll.load.on_locust.worker import MasterGoneError, run_worker

    try:
        run_worker(options["master_host"], options["master_port"], secrets_of(options), secret_of(options))
    except MasterGoneError as problem:
        click.echo(f"Error: {problem}", err=True)
        raise SystemExit(4) from problem
    except (EngineError, TargetError) as problem:
        raise click.UsageError(str(problem)) from problem


def _scenario(options: dict[str, Any]) -> Scenario:
    from sendpoll.load.scenario.options import Overrides, scenario_with
    from sendpoll.load.scenario.scenario import ScenarioError

    names = ("users", "duration", "shape", "arrivals", "pacing", "poll_interval", "think", "on_refusal", "slos")
    on_outage = options["on_outage"] or ("wait" if options["restart"] else None)
    try:
        return scenario_with(
            options["scenario"], Overrides(on_outage=on_outage, **{name: options[name] for name in names})
        )
    except ScenarioError as problem:
        raise click.UsageError(str(problem)) from problem


def _hold(target: Target, scenario: Scenario, options: dict[str, Any], interruption: Interruption) -> int:
    from sendpoll.core.text.units import parse_seconds
    from sendpoll.load.engine import EngineError, Workload
    from sendpoll.load.job import Job, run_job
    from sendpoll.load.observe.sources import ObserveError
    from sendpoll.load.results.compare import CompareError

    spending = spending_of(options)
    workload = Workload(target, scenario, options["seed"], spending.bound)
    restart = _restart(options, scenario)
    if options["dry_run"]:
        for line in forecast_of(workload, options, interruption).of_load():
            click.echo(line)
        return 0
    job = Job(
        workload=workload,
        spending=spending,
        fleet=fleet_of(options),
        report_dir=options["report_dir"],
        compare=options["compare"],
        inconclusive=options["inconclusive"],
        restart=restart,
        abort_after_s=None if options["abort_after"] is None else parse_seconds(options["abort_after"]),
        sources=sources_of(options),
        outlets=outlets_of(options),
    )
    out, err = consoles()
    try:
        with (
            told_plainly(job.report_dir),
            broken_network(target, options["network"], options["seed"]) as (through, cost),
        ):
            if cost is not None:
                job = replace(job, workload=replace(workload, target=through), network=cost)
            return run_job(job, out, err, interruption)
    except (EngineError, ObserveError, CompareError, TargetError) as problem:
        raise click.UsageError(str(problem)) from problem
