"""`sendpoll locustfile`: the file for those who run plain `locust`."""

from __future__ import annotations

import click

from sendpoll.cli.help_page import Command
from sendpoll.cli.values import SCENARIO

_EXAMPLES = (
    "sendpoll locustfile > locustfile.py",
    "SENDPOLL_TOKEN=T locust --host http://localhost:8091 --headless -u 20 -t 60s",
)
_FILE = """from sendpoll.load import SendpollUser


class Person(SendpollUser):
    scenario = {scenario!r}
"""


@click.command(cls=Command, examples=_EXAMPLES)
@click.option(
    "--scenario", default="chat", show_default=True, type=SCENARIO, metavar="NAME|FILE", help="What the users do."
)
def locustfile(scenario: str) -> None:
    """Print a locustfile for plain Locust.

    Locust says how many users there are; the scenario says what each does. SENDPOLL_TOKEN holds the token, or
    SENDPOLL_TARGET names a target file; SENDPOLL_REPORT_DIR a folder for the reports. The exit code is that of
    `sendpoll load`.
    """
    from sendpoll.load.scenario.scenario import ScenarioError
    from sendpoll.load.scenario.scenario_file import load_scenario

    try:
        load_scenario(scenario)
    except ScenarioError as problem:
        raise click.UsageError(str(problem)) from problem
    click.echo(_FILE.format(scenario=scenario), nl=False)
