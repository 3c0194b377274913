"""How a run by pytest itself ends: green only where something can be said, as with `sendpoll check`.

To pytest a check that was not exercised is a skipped test, and a run of skipped tests a success. A server that is not
there, or a token that is wrong, would make one.
"""

from __future__ import annotations

import textwrap
from collections import defaultdict

import pytest

from sendpoll.conformance.rules.verdict import RunVerdict, Verdict, join, run_verdict
from sendpoll.conformance.server.plugin import readable, results_of
from sendpoll.schemas.catalogue import Level, load_catalogue


class Verdicts:
    """A pytest plugin that fails a run in which no test failed, but which is undetermined."""

    def __init__(self) -> None:
        self._verdicts: dict[str, list[Verdict]] = defaultdict(list)
        self._reasons: dict[str, dict[str, None]] = defaultdict(dict)
        """Why nothing can be said, to the requirements that this is true of, in their order."""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what each check told."""
        for result in results_of(report):
            verdict = Verdict(result["verdict"])
            self._verdicts[result["requirement"]].append(verdict)
            if verdict not in {Verdict.PASS, Verdict.FAIL}:
                self._reasons[result["reason"]][result["requirement"]] = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Take the success away from a run that says nothing."""
        if exitstatus == pytest.ExitCode.OK and self._undetermined():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say which rows leave the run open, and why."""
        if not self._undetermined():
            return
        terminalreporter.section("sendpoll: nothing certain can be said", red=True)
        for reason, rows in self._reasons.items():
            terminalreporter.write_line(readable(f"- {reason}"))
            terminalreporter.write_line(textwrap.fill(", ".join(rows), 80, initial_indent="  ", subsequent_indent="  "))

    def _undetermined(self) -> bool:
        level = {row.id: row.level for row in load_catalogue().rows}
        rows: list[tuple[Level, Verdict]] = [(level[row], join(verdicts)) for row, verdicts in self._verdicts.items()]
        return bool(rows) and run_verdict(rows, level="should", strict=False)[0] is RunVerdict.UNDETERMINED
