"""`sendpoll plan`: how many users a server holds, what gives first, and how sure that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sendpoll.cli.help_page import Command, Group
from sendpoll.cli.load_options import (
    fleet_of,
    forecast_of,
    load_options,
    outlets_of,
    sources_of,
    spending_of,
    target_at_hand,
    told_plainly,
)
from sendpoll.cli.target_options import SERVER, target_options
from sendpoll.cli.values import TIME
from sendpoll.core.interruption import Interruption
from sendpoll.core.reports.console import consoles
from sendpoll.core.target.target import Target

if TYPE_CHECKING:
    from sendpoll.load.plan.run import PlanJob

_GROUPS = (
    SERVER,
    Group("Objectives", ("slos", "require_users")),
    Group(
        "Load",
        ("scenario", "max_users"),
        ("think", "poll_interval", "on_refusal", "arrivals", "max_rate", "polls", "seed"),
    ),
    Group("Effort", ("quick",), ("budget", "no_doctor")),
    Group("Money", (), ("dry_run", "probe", "max_messages", "max_cost", "cost_per_message", "replica_cost")),
    Group("Observe", (), ("observe_urls", "observe_pids", "metrics_port", "metrics_bind", "otlp")),
    Group("Report", ("report_dir",)),
    Group("Generator", (), ("processes", "master", "expect_workers", "master_bind", "master_port", "cluster_secret")),
)
_EXAMPLES = (
    'sendpoll plan http://localhost:8091 --slo "ttfe p95 <= 2s" --report-dir report',
    "sendpoll plan --target server.yaml --require-users 50 --quick",
    'sendpoll plan --target server.yaml --slo "gold: ttfe p95 <= 1s" --slo "silver: ttfe p95 <= 3s"',
    "sendpoll plan --target server.yaml --arrivals",
    "sendpoll plan",
)
_EXIT_CODES = {
    0: "answered, or held",
    1: "missed, or not held",
    2: "usage",
    3: "too short to tell",
    4: "the generator was the limit",
    5: "the server broke or is away",
}


@click.command(cls=Command, groups=_GROUPS, examples=_EXAMPLES, exit_codes=_EXIT_CODES)
@click.argument("url", required=False)
@click.option(
    "--max-users", type=click.IntRange(1), metavar="N", default=1000, show_default=True, help="Never hold more."
)
@click.option(
    "--max-rate", type=click.FloatRange(0.01), metavar="N", default=1000.0, show_default=True, help="With --arrivals."
)
@click.option("--budget", type=TIME, metavar="TIME", help="For everything, such as 30min.")
@click.option("--quick", is_flag=True, help="A coarser answer in 4 minutes instead of 12.")
@click.option("--require-users", type=click.FloatRange(0, min_open=True), metavar="N", help="Pass only if held.")
@click.option("--arrivals", is_flag=True, help="Search for messages a second that come whoever is free.")
@click.option("--polls", is_flag=True, help="Then poll each 0.25, 0.5 and 1 s at the answer; takes longer.")
@click.option("--replica-cost", type=click.FloatRange(0), metavar="Z", help="Of one a month: tell what a user costs.")
@click.option("--no-doctor", is_flag=True, help="Do not measure the generator first.")
@target_options
@load_options(scenario="chat")
def plan(**options: Any) -> None:
    """Find how many users the server at URL holds within its objectives.

    Users are doubled until an objective is missed, and the level between is narrowed down, each with as many tasks as
    it takes to be sure. The server must be yours to overload: it will be, for some seconds.

    Without URL, and without a target file, a reference server is started for the plan.
    """
    with Interruption() as interruption, target_at_hand(options) as target:
        code = _plan(target, options, interruption)
    raise SystemExit(code)


def _plan(target: Target, options: dict[str, Any], interruption: Interruption) -> int:
    from sendpoll.load.engine import EngineError
    from sendpoll.load.observe.sources import ObserveError
    from sendpoll.load.plan.run import run_plan

    job = _job(target, options)
    if options["dry_run"]:
        told = forecast_of(job.workload, options, interruption)
        for line in told.of_plan(job.settings.budget_s, job.settings.max_level, arrivals=job.settings.arrivals):
            click.echo(line)
        return 0
    out, err = consoles()
    try:
        with told_plainly(job.report_dir):
            return run_plan(job, out, err, interruption)
    except (EngineError, ObserveError) as problem:
        raise click.UsageError(str(problem)) from problem


def _job(target: Target, options: dict[str, Any]) -> PlanJob:
    from sendpoll.core.text.units import parse_seconds
    from sendpoll.load.engine import Workload
    from sendpoll.load.plan.polling import INTERVALS
    from sendpoll.load.plan.run import PlanJob
    from sendpoll.load.plan.settings import FULL, QUICK, Settings, SettingsError, for_tasks
    from sendpoll.load.scenario.options import Overrides, scenario_with
    from sendpoll.load.scenario.scenario import ScenarioError

    quick = options["quick"]
    names = ("slos", "think", "poll_interval", "on_refusal")
    try:
        scenario = scenario_with(options["scenario"], Overrides(**{name: options[name] for name in names}))
        service, notes = for_tasks(scenario.service_level)
        settings = Settings(
            service=service,
            arrivals=options["arrivals"],
            max_level=options["max_rate"] if options["arrivals"] else options["max_users"],
            budget_s=parse_seconds(options["budget"] or ("4min" if quick else "12min")),
            pace=QUICK if quick else FULL,
            task_deadline_s=scenario.task_deadline_s,
            start_spread_s=scenario.start_spread_s,
        )
        if (options["require_users"] or 0) > settings.max_level:
            most = "--max-rate" if options["arrivals"] else "--max-users"
            raise SettingsError(f"--require-users: {options['require_users']:g} is more than {most} lets a plan hold")
    except (ScenarioError, SettingsError) as problem:
        raise click.UsageError(str(problem)) from problem
    except ValueError as problem:
        raise click.UsageError(f"--budget: {problem}") from problem
    spending = spending_of(options)
    return PlanJob(
        workload=Workload(target, scenario, options["seed"], spending.bound),
        spending=spending,
        settings=settings,
        fleet=fleet_of(options),
        quick=quick,
        required=options["require_users"],
        poll_intervals=INTERVALS if options["polls"] else (),
        doctor=not options["no_doctor"],
        report_dir=options["report_dir"],
        sources=sources_of(options),
        outlets=outlets_of(options),
        notes=notes,
    )
