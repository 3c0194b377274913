"""Runs the suite: pytest in this process, with the suite's own configuration and plugins and no others."""

from __future__ import annotations

import contextlib
import importlib.resources
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sendpoll.conformance.results.judgement import Judgement
from sendpoll.conformance.results.report_json import Report
from sendpoll.conformance.rules.verdict import Verdict
from sendpoll.conformance.server import plugin
from sendpoll.conformance.server.malloc import give_memory_back
from sendpoll.conformance.server.plugin import CONTEXT, RunOptions, results_of
from sendpoll.conformance.server.probing.forecast import forecast
from sendpoll.conformance.server.probing.listener import Listener, Silence
from sendpoll.conformance.server.probing.recorder import Recorder
from sendpoll.conformance.server.probing.run_context import RunContext
from sendpoll.conformance.server.server_report import RunFacts, build_report
from sendpoll.core.target.target import Target
from sendpoll.schemas.catalogue import load_catalogue
from sendpoll.schemas.contract import JSON


@dataclass
class _Results:
    """Collects what the checks tell from pytest's reports, and notes where the suite itself breaks."""

    context: RunContext
    only: frozenset[str]
    listener: Listener

    def __post_init__(self) -> None:
        self.results: list[JSON] = []
        self.crashes: list[str] = []
        self._open: Counter[str] = Counter()
        """Requirement to how many of its checks are still to come."""
        self._module = ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[CONTEXT] = self.context

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if self.only:
            items[:] = [item for item in items if _requirement(item) in self.only]
        self._open.update(identifier for item in items if (identifier := _requirement(item)))

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        module = nodeid.rpartition("/")[2].partition("::")[0]
        if module != self._module:
            self._module = module
            self.listener.phase(module.removeprefix("test_").removesuffix(".py"))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "teardown" and not report.failed:
            return
        told = list(results_of(report))
        if not told and report.failed:
            self.crashes.append(f"{report.nodeid}: {report.longreprtext}")
        self.results += told
        for result in told:
            self._open[result["requirement"]] -= 1
            if not self._open[result["requirement"]]:
                self.listener.row(failed=self._has_failed(result["requirement"]))

    def _has_failed(self, requirement: str) -> bool:
        mine = (result["verdict"] for result in self.results if result["requirement"] == requirement)
        return Verdict.FAIL in mine

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.crashes.append(f"{report.nodeid}: {report.longreprtext}")

    def pytest_internalerror(self, excrepr: object) -> None:
        self.crashes.append(str(excrepr))


def _requirement(item: pytest.Item) -> str | None:
    marker = item.get_closest_marker("requirement")
    return marker.args[0] if marker else None


@contextlib.contextmanager
def _own_environment() -> Iterator[None]:
    """Keep what the shell and the folder say to pytest away from the suite, and the suite from writing bytecode."""
    before = _take_variables()
    writes = sys.dont_write_bytecode
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = writes
        _take_variables()
        os.environ.update(before)


def _take_variables() -> dict[str, str]:
    """All that the environment says to pytest, taken out of it."""
    return {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("PYTEST_")}


class SuiteRun:
    """One run of the suite against a target.

    The deadline and the duration count from `began`, a moment of the monotonic clock; from now where it is not told.
    """

    def __init__(
        self,
        target: Target,
        options: RunOptions,
        judgement: Judgement,
        listener: Listener | None = None,
        *,
        began: float | None = None,
    ) -> None:
        listener = listener or Silence()
        self._judgement = judgement
        self._started, self._began = datetime.now(UTC), time.monotonic() if began is None else began
        recorder = Recorder(target, started=self._began, on_exchange=listener.request)
        self._context = RunContext(
            recorder, seed=options.seed, examples=options.examples, only=options.only, restart=options.restart
        )
        self._context.listen(listener, forecast)
        self._command = options.command
        self._results = _Results(self._context, options.only, listener)

    def run(self) -> Report:
        """Do it, and return its report. Raises KeyboardInterrupt where pytest was stopped by one."""
        give_memory_back()
        results = self._results
        with (
            importlib.resources.as_file(importlib.resources.files("sendpoll.conformance.server.checks")) as folder,
            _own_environment(),
        ):
            code = pytest.main(_arguments(folder), plugins=[plugin, results])
        if code == pytest.ExitCode.INTERRUPTED and not results.crashes:
            raise KeyboardInterrupt
        if code not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED} and not results.crashes:
            results.crashes.append(f"pytest ended with {code!r}")
        return self.report()

    def cut(self, by: str) -> None:
        """End the run early, from any thread or a signal's handler; `run` returns soon, with what was seen so far."""
        self._context.recorder.cut(by)

    def report(self) -> Report:
        """The report of what was seen so far."""
        ran = RunFacts(
            tuple(self._results.results),
            tuple(self._results.crashes),
            self._started,
            time.monotonic() - self._began,
            self._command,
        )
        return build_report(self._context, load_catalogue(), ran, self._judgement)


def check(
    target: Target,
    options: RunOptions,
    judgement: Judgement,
    listener: Listener | None = None,
    *,
    began: float | None = None,
) -> Report:
    """Run the suite against a target and return its report; see `SuiteRun`."""
    return SuiteRun(target, options, judgement, listener, began=began).run()


def _arguments(folder: Path) -> list[str]:
    return [
        os.fspath(folder),
        "-c",
        os.fspath(folder / "pytest.ini"),
        f"--rootdir={folder}",
        "--noconftest",
        "--import-mode=importlib",
        "--assert=plain",
        "-pno:cacheprovider",
        "--capture=no",  # or what is told of progress goes into pytest's files
        "-pno:terminal",
    ]
