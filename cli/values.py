"""What options and arguments may be: refused where they are read, by name and with the mend; completed in a shell."""

from __future__ import annotations

from collections.abc import Callable

import click
from click.shell_completion import CompletionItem

from sendpoll.conformance.results.explain import UnknownRequirementError, find
from sendpoll.schemas.catalogue import Subject, load_catalogue


class RequirementId(click.ParamType[str]):
    """The id of a row of a catalogue, in any case; becomes the id as the catalogue writes it."""

    name = "id"

    def __init__(self, *subjects: Subject) -> None:
        """Of whom the rows ask something; both where nothing is given."""
        self._subjects = subjects or tuple(Subject)

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Raises click.BadParameter, which names the nearest ids."""
        try:
            return find(value, self._subjects).id
        except UnknownRequirementError as problem:
            self.fail(str(problem), param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 - click's signature
        """The ids that begin so, each with its sentence."""
        rows = {row.id: row for subject in self._subjects for row in load_catalogue(subject).rows}
        offered = [row for row in rows.values() if row.id.startswith(incomplete.upper())]
        return [CompletionItem(row.id, help=row.title) for row in offered]


class Checked(click.ParamType[str]):
    """A text that a function accepts, or refuses by a ValueError whose message says how to write it."""

    def __init__(self, name: str, check: Callable[[str], object]) -> None:
        """`name` is what the text is; `check` is called with it."""
        self.name = name
        self._check = check

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text as it is. Raises click.BadParameter with the option's name and the function's message."""
        try:
            self._check(value)
        except ValueError as problem:
            self.fail(str(problem), param, ctx)
        return value


class ScenarioName(click.ParamType[str]):
    """A shipped scenario, or the path of a file."""

    name = "scenario"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 - click's signature
        """The shipped names that begin so, and files."""
        from sendpoll.load.scenario.scenario_file import shipped_scenarios

        names = [CompletionItem(name) for name in shipped_scenarios() if name.startswith(incomplete)]
        return names or [CompletionItem(incomplete, type="file")]


def _time(text: str) -> None:
    from sendpoll.core.text.units import parse_seconds

    parse_seconds(text)


def _objective(text: str) -> None:
    from sendpoll.load.measure.slo import parse_objective

    parse_objective(text)


def _metrics_page(text: str) -> None:
    from sendpoll.load.observe.sources import metrics_url

    metrics_url(text)


REQUIREMENT = RequirementId(Subject.SERVER)
CLIENT_REQUIREMENT = RequirementId(Subject.CLIENT)
ANY_REQUIREMENT = RequirementId(Subject.TRAFFIC)
ANY_REQUIREMENT = RequirementId()
SCENARIO = ScenarioName()
TIME = Checked("time", _time)
OBJECTIVE = Checked("objective", _objective)
METRICS_PAGE = Checked("URL", _metrics_page)
