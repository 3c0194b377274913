"""`sendpoll doctor`: how much load this machine can generate."""

from __future__ import annotations

import json
import os
from dataclasses import asdict

import click

from sendpoll.cli.help_page import Command

_EXAMPLES = ("sendpoll doctor --processes 2",)


@click.command(
    cls=Command, examples=_EXAMPLES, exit_codes={0: "measured", 2: "usage", 4: "the generator could not be measured"}
)
@click.option(
    "--processes",
    type=click.IntRange(0, os.cpu_count()),
    metavar="N",
    default=0,
    help="Worker processes on this machine.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the numbers as JSON.")
def doctor(processes: int, as_json: bool) -> None:
    """Measure what this machine can generate, against a built-in stub server, in about 10 seconds.

    The limits of the machine come first: open files, local ports, a CPU quota. A plan stays below 60 % of what was
    measured, since beyond, the generator's own delays would be in the answer.
    """
    from sendpoll.load.doctor import DoctorError, measured_apart
    from sendpoll.load.measure.machine_limits import machine_limits, raise_open_files

    raise_open_files()
    limits = machine_limits()
    most = None if limits.connections is None else limits.connections * max(1, processes)
    if not as_json:
        for line in limits.lines:
            click.echo(line)
    click.echo("Measuring for about 10 seconds ...", err=True)
    try:
        ceiling = measured_apart(processes)
    except DoctorError as problem:
        click.echo(f"Error: {problem}", err=True)
        raise SystemExit(4) from problem
    users = ceiling.users if most is None else min(ceiling.users, most)
    if as_json:
        click.echo(json.dumps({**asdict(ceiling), "users": users, "limits": asdict(limits)}, indent=1))
        return
    where = f"{processes} worker processes" if processes else "one process"
    click.echo(f"{ceiling.requests_per_second:,.0f} requests a second at most, with {where} (each answer validated)")
    why = "60 % of that" if users == ceiling.users else "for each takes a connection"
    click.echo(f"{users:,} users that poll each 0.5 s can be planned with: {why}")
    if ceiling.cpu < 0.7:
        click.echo(
            f"The generator used only {ceiling.cpu:.0%} of a core, so the stub or another program on this machine "
            "was the limit: the true ceiling is higher when the machine has nothing else to do"
        )
