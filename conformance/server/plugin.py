"""The one pytest plugin: it gives the checks their context, and turns pytest's own reports into verdicts.

A check is a test with one `@pytest.mark.requirement("POLL-8")`. It asserts nothing and returns nothing: it tells its
`case` what it saw, and this plugin makes pass, fail or skip of it, so that `-x`, `-k` and `--junitxml` mean for these
checks what they mean for any others.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import random
import sys
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sendpoll.conformance.results.evidence import Evidence
from sendpoll.conformance.results.hints import HINTS
from sendpoll.conformance.rules.verdict import Verdict
from sendpoll.conformance.server.checks.check_result import CheckResult, UnjudgedError
from sendpoll.conformance.server.probing.endings import BudgetSpentError, RunOverError, TargetLostError
from sendpoll.conformance.server.probing.going_down import RestartOrder
from sendpoll.conformance.server.probing.recorded_tasks import Corpus, record
from sendpoll.conformance.server.probing.recorder import Recorder
from sendpoll.conformance.server.probing.run_context import RunContext
from sendpoll.conformance.server.transport.connection import NoConnectionError
from sendpoll.core.reports.ci_log import obeys_its_log, unobeyed
from sendpoll.core.target.target import Target
from sendpoll.core.target.target_file import load_target
from sendpoll.core.target.url import TargetError
from sendpoll.core.text.safe import one_line, visible
from sendpoll.schemas.catalogue import load_catalogue
from sendpoll.schemas.contract import JSON

pytest_plugins = ["sendpoll.conformance.server.pytest_options"]

PROPERTY = "sendpoll"
"""The name under which a check's result travels in pytest's reports."""

CONTEXT = pytest.StashKey[RunContext]()
_CASE = pytest.StashKey[CheckResult]()
_CHECKS = Path(__file__).parent / "checks"
_RECURSION_LIMIT = 4000
"""Frames: a body that a client can read must be readable here too, deep inside pytest and Hypothesis."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a run of the suite is given beside its target."""

    seed: int
    examples: int = 100
    only: frozenset[str] = frozenset()
    """Requirement ids to judge; all where empty."""
    command: tuple[str, ...] = ("sendpoll", "check")
    """The words that would start it again, but for what bounds it; ready for a shell, without secrets."""
    restart: RestartOrder | None = None
    """How the target is restarted, where the rows about that are judged."""


def pytest_configure(config: pytest.Config) -> None:
    """Make the context; `sendpoll check` has put one of its own here already."""
    config.addinivalue_line("markers", "requirement(id): the catalogue row that the check judges")
    if hasattr(config, "workerinput") or config.getoption("dist", "no") != "no":
        raise pytest.UsageError("the checks share one corpus and one budget of messages: run them without -n")
    config.add_cleanup(functools.partial(sys.setrecursionlimit, sys.getrecursionlimit()))
    sys.setrecursionlimit(max(sys.getrecursionlimit(), _RECURSION_LIMIT))
    if CONTEXT not in config.stash:
        target, options = _from_command_line(config)
        config.stash[CONTEXT] = RunContext(
            Recorder(target), seed=options.seed, examples=options.examples, restart=options.restart
        )


def _from_command_line(config: pytest.Config) -> tuple[Target, RunOptions]:
    option = config.option
    try:
        target = load_target(Path(option.sendpoll_target), os.environ) if option.sendpoll_target else Target()
        changes: dict[str, Any] = {}
        if config.getoption("base_url", None):
            changes["base_url"] = option.base_url
        if os.environ.get(option.token_env):
            changes["token"] = os.environ[option.token_env]
        if option.second_token_env:
            changes["second_token"] = os.environ.get(option.second_token_env)
        target = replace(target, **changes)
    except TargetError as error:
        raise pytest.UsageError(str(error)) from error
    seed = option.sendpoll_seed if option.sendpoll_seed is not None else random.SystemRandom().getrandbits(32)
    restart = RestartOrder(option.sendpoll_restart) if option.sendpoll_restart else None
    return target, RunOptions(seed, option.sendpoll_examples, restart=restart)


def pytest_report_header(config: pytest.Config) -> str:
    """Say what is judged, and with which seed."""
    context = config.stash[CONTEXT]
    told = f"{context.target.base_url}, seed {context.seed}, at most {context.target.max_messages} messages"
    return readable(f"sendpoll: {told}")


class _Checks(pytest.Module):
    """A module of the suite, imported by its own name.

    pytest goes by the path, and would first look whether it is `conformance.test_x` of whatever is called so in the
    folder where it was started.
    """

    def _getobj(self) -> ModuleType:
        return importlib.import_module(f"sendpoll.conformance.server.checks.{self.path.stem}")


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Take the suite's folder for a mere folder: as a package it would be imported under another name, and again."""
    return pytest.Dir.from_parent(parent, path=path) if _is_the_suites(path) else None


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """Collect the suite's own modules as what they are; pytest does the rest."""
    return _Checks.from_parent(parent, path=module_path) if _is_the_suites(module_path.parent) else None


def _is_the_suites(folder: Path) -> bool:
    return any(folder.samefile(one) for one in (_CHECKS, *_CHECKS.parents[:2]))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Hold that each check names one row of the catalogue, and run those that watch all traffic last.

    Before pytest picks by `-k`, so that it can pick by a row's id. A row that is asked by an option is left out where
    that was not given.
    """
    known = load_catalogue().by_id
    ours = [item for item in items if item.get_closest_marker("requirement")]
    for item in ours:
        marker = item.get_closest_marker("requirement")
        identifier = marker.args[0] if marker and marker.args else ""
        if identifier not in known:
            raise pytest.UsageError(f"{item.nodeid}: {identifier!r} is no row of the catalogue")
        item.extra_keyword_matches.add(identifier)
    if config.stash[CONTEXT].restart is None:
        unasked = {row.id for row in known.values() if row.asked_by}
        items[:] = [item for item in items if _row_of(item) not in unasked]
    items.sort(key=lambda item: getattr(getattr(item, "module", None), "STAGE", 0))


def _row_of(item: pytest.Item) -> str:
    marker = item.get_closest_marker("requirement")
    return str(marker.args[0]) if marker else ""


@pytest.fixture(scope="session")
def recorder(context: RunContext) -> Recorder:
    """The way to the target."""
    return context.recorder


@pytest.fixture(scope="session", name="context")
def _lab(pytestconfig: pytest.Config) -> RunContext:
    """The run's context, its walk through the calls done."""
    context = pytestconfig.stash[CONTEXT]
    if not context.walks:
        try:
            context.prepare()
        except (RunOverError, TargetLostError) as error:
            cut_by = context.recorder.cut_by
            told = f"the run was cut short by {cut_by}" if cut_by else "the run's deadline passed"
            context.trouble = context.trouble or str(error) or f"{told} in the first walk through the calls"
    return context


@pytest.fixture(scope="session", name="corpus")
def _corpus(context: RunContext) -> Corpus:
    """The recorded tasks; empty where the walk through the calls did not get to one."""
    context.listener.phase("tasks")
    return record(context) if not (context.trouble or context.stopped) else Corpus(walks=dict(context.walks))


@pytest.fixture
def bench(context: RunContext, case: CheckResult) -> RunContext:
    """The context for checks that send requests of their own: only once the walk through the calls succeeded."""
    if context.trouble or context.stopped:
        case.not_exercised(context.trouble or context.stopped)
    if context.recorder.remaining() <= 0:
        raise RunOverError
    return context


@pytest.fixture(name="case")
def _case(request: pytest.FixtureRequest) -> CheckResult:
    marker = request.node.get_closest_marker("requirement")
    case = CheckResult(marker.args[0])
    request.node.stash[_CASE] = case
    return case


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, Any, Any]:
    """A fixture may find that the check cannot be made."""
    try:
        return (yield)
    except _ENDINGS as error:
        marker = item.get_closest_marker("requirement")
        if marker is None:
            raise
        return _tell(item, CheckResult(marker.args[0]), *_ended(error, item.config.stash[CONTEXT]))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Run a check, and make of what its case says what pytest calls an outcome."""
    case = item.stash.get(_CASE, None)
    if case is None:
        return (yield)
    context = item.config.stash[CONTEXT]
    reason = ""
    try:
        if declared := context.target.not_applicable.get(case.requirement):
            case.not_applicable(declared)
        yield
    except _ENDINGS as error:
        verdict, reason = _ended(error, context)
    else:
        verdict = case.verdict
    if case.violations:
        verdict, reason = Verdict.FAIL, ""
    return _tell(item, case, verdict, reason or _default_reason(case, verdict, context))


_ENDINGS = (UnjudgedError, RunOverError, TargetLostError, BudgetSpentError, NoConnectionError)


def _ended(error: Exception, context: RunContext) -> tuple[Verdict, str]:
    """The verdict that follows from what ended a check early, and why."""
    if isinstance(error, UnjudgedError):
        return error.verdict, error.reason
    if isinstance(error, RunOverError) and context.recorder.cut_by:
        return Verdict.NOT_EXERCISED, f"the run was cut short by {context.recorder.cut_by}"
    if isinstance(error, RunOverError):
        limit = context.target.timeouts.run
        context.was_short = True
        return Verdict.NOT_EXERCISED, str(error) or f"the run's deadline of {limit:g} s had passed (--deadline)"
    if isinstance(error, BudgetSpentError):
        spent = context.target.max_messages
        context.was_short = True
        return Verdict.NOT_EXERCISED, f"all {spent} messages were spent; allow more with --max-messages"
    return Verdict.INCONCLUSIVE, str(error)


def _default_reason(case: CheckResult, verdict: Verdict, context: RunContext) -> str:
    if verdict is not Verdict.NOT_EXERCISED:
        return ""
    hint = HINTS.get(case.requirement, "no exchange of this run could have failed it")
    return context.trouble or context.stopped or hint


def _tell(item: pytest.Item, case: CheckResult, verdict: Verdict, reason: str) -> None:
    context = item.config.stash[CONTEXT]
    evidence = Evidence.of_target(context.target, context.recorder.started)
    result: JSON = {
        "requirement": case.requirement,
        "check": item.nodeid.rpartition("/")[2],
        "verdict": str(verdict),
        "exercised": case.exercised,
        "reason": evidence.text(reason),
        "violations": evidence.violations(case.violations, case.unshown),
    }
    item.user_properties.append((PROPERTY, json.dumps(result)))
    if verdict is Verdict.FAIL:
        pytest.fail(readable(_failure_text(result, context.seed)), pytrace=False)
    if verdict is not Verdict.PASS:
        pytest.skip(readable(f"{verdict}: {result['reason']}"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What pytest tells of a check that broke may quote the server too."""
    report = yield
    if report.failed and not isinstance(report.longrepr, str):
        report.longrepr = readable(report.longreprtext)
    return report


def readable(text: str) -> str:
    """A text for pytest to show on a terminal, in its JUnit file or in the log of a CI job: in none does it act."""
    shown = visible(text, keep="\n")
    return unobeyed(shown) if obeys_its_log(os.environ) else shown


def _failure_text(result: JSON, seed: int) -> str:
    row = load_catalogue().by_id[result["requirement"]]
    lines = [f"{row.id} ({row.level}): {row.sentence}", f"Clients: {row.because}."]
    lines += [f"  {letter}: {told}" for letter, told in row.breaks.items()]
    for violation in result["violations"]:
        lines.append(f"Observed ({violation['count']} times): {violation['sentence']}")
        for shown in violation["exchanges"]:
            answer = shown["response"]
            lines.append(f"  {shown['curl']}")
            told = f"{answer['status']} {one_line(answer['body'])}" if answer else shown["failure"]
            lines.append(f"  -> {told}")
    return "\n".join([*lines, f"Seed: {seed}"])


def results_of(report: pytest.TestReport) -> Iterator[JSON]:
    """The result that a check told in one of pytest's reports; none where it crashed, or in a phase beside it.

    pytest hands what was told on to the reports of all later phases: a teardown tells nothing of its own.
    """
    if report.when == "call" or (report.when == "setup" and report.outcome != "passed"):
        for name, value in report.user_properties:
            if name == PROPERTY and isinstance(value, str):
                yield json.loads(value)
