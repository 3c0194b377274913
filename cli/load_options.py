"""What `load` and `plan` share: the options of a scenario and of the generator, a server at hand, and their errors."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sendpoll.cli.help_page import Decorated
from sendpoll.cli.target_options import made_ready, target_of
from sendpoll.cli.values import METRICS_PAGE, OBJECTIVE, SCENARIO, TIME
from sendpoll.core.interruption import Interruption
from sendpoll.core.target.target import Target

if TYPE_CHECKING:
    from sendpoll.load.engine import Fleet, Workload
    from sendpoll.load.export.outlets import OutletSettings
    from sendpoll.load.forecast import Forecast
    from sendpoll.load.measure.spending import Spending
    from sendpoll.load.observe.sources import Sources


_COUNT = click.IntRange(1)
_MONEY = click.FloatRange(0, min_open=True)
_PORT = click.IntRange(1, 65535)
_FOLDER = click.Path(file_okay=False, path_type=Path)
_OPTIONS = (
    click.option(
        "--slo",
        "slos",
        multiple=True,
        type=OBJECTIVE,
        metavar="OBJECTIVE",
        help='Such as "ttfe p95 <= 2s", in place of the scenario\'s.',
    ),
    click.option("--poll-interval", type=TIME, metavar="TIME", help="Between two polls."),
    click.option("--think", type=TIME, metavar="TIME", help="Mean time between a task and the next message."),
    click.option(
        "--on-refusal",
        type=click.Choice(["fail", "wait"]),
        help="What a user does at 409, 429 or 503: give up as published clients, or come again.",
    ),
    click.option("--dry-run", is_flag=True, help="Say how many messages and minutes it takes, and send nothing."),
    click.option("--probe", is_flag=True, help="With --dry-run: send one message, to know what a task takes."),
    click.option("--max-messages", type=_COUNT, metavar="N", help="Never send more; the end comes with the last."),
    click.option("--max-cost", type=_MONEY, metavar="X", help="Never spend more on messages, of which each costs Y."),
    click.option("--cost-per-message", type=_MONEY, metavar="Y", help="In the currency of all amounts."),
    click.option("--seed", type=int, metavar="N", default=0, show_default=True, help="Of everything that is drawn."),
    click.option(
        "--observe",
        "observe_urls",
        multiple=True,
        type=METRICS_PAGE,
        metavar="URL",
        help="Watch a page that Prometheus would scrape, and tell what gave.",
    ),
    click.option(
        "--observe-pid",
        "observe_pids",
        multiple=True,
        type=_COUNT,
        metavar="N",
        help="Watch a process of this machine and what it started.",
    ),
    click.option(
        "--metrics-port",
        type=click.IntRange(0, 65535),
        metavar="N",
        help="Serve the numbers to Prometheus while the run lasts; 0 is a free port.",
    ),
    click.option(
        "--metrics-bind",
        metavar="HOST",
        default="127.0.0.1",
        show_default=True,
        help="Where that page listens; 0.0.0.0 for everywhere.",
    ),
    click.option("--otlp", is_flag=True, help="Send the numbers by OTLP, as the OTEL_ variables say."),
    click.option("--report-dir", type=_FOLDER, metavar="DIR", help="Write JSON, HTML, JUnit, Markdown and a task log."),
    click.option(
        "--processes", type=click.IntRange(0), metavar="N", default=0, help="Worker processes on this machine."
    ),
    click.option("--master", is_flag=True, help="Wait for workers from other machines: sendpoll load --worker."),
    click.option("--expect-workers", type=_COUNT, metavar="N", default=1, show_default=True, help="With --master."),
    click.option(
        "--master-bind",
        metavar="HOST",
        default="127.0.0.1",
        show_default=True,
        help="Where the master listens; * for everywhere.",
    ),
    click.option(
        "--cluster-secret",
        envvar="SENDPOLL_CLUSTER_SECRET",
        metavar="TEXT",
        default="",
        help="Shared by master and workers; better in SENDPOLL_CLUSTER_SECRET.",
    ),
    click.option("--master-port", type=_PORT, metavar="N", default=5557, show_default=True, help="Of the master."),
)


def load_options(scenario: str) -> Callable[[Decorated], Decorated]:
    """Give a command these options; `scenario` is what it does where none is named."""

    def decorated(command: Decorated) -> Decorated:
        which = click.option(
            "--scenario",
            default=scenario,
            show_default=True,
            type=SCENARIO,
            metavar="NAME|FILE",
            help="A shipped one, or a file.",
        )
        for option in reversed((which, *_OPTIONS)):
            command = option(command)
        return command

    return decorated


def secret_of(options: Mapping[str, Any]) -> str:
    """What master and workers share. Raises click.UsageError where there is none."""
    secret: str = options["cluster_secret"]
    if not secret:
        raise click.UsageError(
            "--master and --worker need a secret that they share: set SENDPOLL_CLUSTER_SECRET to the same on each, "
            "such as openssl rand -hex 16 prints"
        )
    return secret


def fleet_of(options: Mapping[str, Any]) -> Fleet:
    """The generator that the options ask for."""
    from sendpoll.load.engine import Fleet

    return Fleet(
        processes=options["processes"],
        master=options["master"],
        bind_host=options["master_bind"],
        bind_port=options["master_port"],
        secret=secret_of(options) if options["master"] else "",
        expect_workers=options["expect_workers"],
        web_port=options["web_port"] if options.get("web") else None,
    )


def spending_of(options: Mapping[str, Any]) -> Spending:
    """What the options say of money. Raises click.UsageError."""
    from sendpoll.load.measure.spending import PriceError, Spending

    names = ("max_messages", "max_cost", "cost_per_message")
    try:
        return Spending(**{name: options[name] for name in names}, replica_cost=options.get("replica_cost"))
    except PriceError as problem:
        raise click.UsageError(str(problem)) from problem


def forecast_of(workload: Workload, options: Mapping[str, Any], interruption: Interruption) -> Forecast:
    """What a dry run has to say. Raises click.ClickException where its probe fails."""
    from sendpoll.load.engine import EngineError
    from sendpoll.load.forecast import forecast, probed

    try:
        probe = probed(workload, interruption) if options["probe"] else None
    except EngineError as problem:
        raise click.ClickException(str(problem)) from problem
    return forecast(workload, spending_of(options), probe)


def outlets_of(options: Mapping[str, Any]) -> OutletSettings:
    """Where the options say the numbers go."""
    from sendpoll.load.export.outlets import OutletSettings

    return OutletSettings(options["metrics_port"], options["metrics_bind"], options["otlp"])


def sources_of(options: Mapping[str, Any]) -> Sources:
    """What the options say is to be watched."""
    from sendpoll.load.observe.sources import Sources, metrics_url

    return Sources(tuple(map(metrics_url, options["observe_urls"])), tuple(options["observe_pids"]))


@contextlib.contextmanager
def target_at_hand(options: Mapping[str, Any]) -> Iterator[Target]:
    """The target that was named, or a reference server for the length of the run. Raises click.UsageError."""
    named = target_of(options["url"], options)
    if named is not None:
        yield made_ready(named, options)
        return
    from sendpoll.reference_server.embedded import spawned
    from sendpoll.reference_server.settings import Settings

    token = secrets.token_urlsafe(24)
    with spawned(Settings(tokens=(token,), port=0)) as url:
        os.environ["NO_PROXY"] = ",".join(filter(None, (os.environ.get("NO_PROXY"), "127.0.0.1")))
        yield Target(base_url=url, token=token)


@contextlib.contextmanager
def told_plainly(report_dir: Path | None) -> Iterator[None]:
    """Name the place where something could not be written."""
    try:
        yield
    except BrokenPipeError:
        raise  # who reads no further is told nothing
    except OSError as problem:
        place = problem.filename or report_dir or "the output"
        raise click.ClickException(
            f"{place}: {problem.strerror or problem}; name a place that can be written"
        ) from problem
