"""The README and its pages say what is true: examples are what the commands print."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sendpoll.core.reports.console import console_for
from sendpoll.core.target.target_file import load_target
from sendpoll.load.measure.metrics import Metrics
from sendpoll.load.measure.slo import METRICS, parse_objective
from sendpoll.load.plan.report.terminal import print_plan
from sendpoll.load.plan.result import plan_result
from sendpoll.load.scenario.scenario_file import shipped_scenarios
from sendpoll.schemas.catalogue import load_catalogue
from tests.hostile.servers import HOSTILE
from tests.load.plan.made_up import facts_of
from tests.load.plan.servers import planned
from tests.load.plan.virtual import Server, exponential, lognormal
from tests.mutants.catalogue import BY_NAME
from tests.mutants.serve import running

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHECKS = (ROOT / "conformance" / "README.md").read_text(encoding="utf-8")
PAGES = [
    ROOT / name
    for name in (
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "conformance/README.md",
        "conformance/client/README.md",
        "deploy/README.md",
        "load/README.md",
        "tests/tutorial/TUTORIAL.md",
    )
]


def _normal(block: str) -> list[str]:
    """The lines of a failure without what differs from run to run: ports, ids, numbers, times, the cut of a body."""
    block = re.sub(r'\n +\{"data".*?(?=\n    curl )', "", block, flags=re.DOTALL)
    block = re.sub(r"\s+", " ", block)
    block = re.sub(r"http://[a-z0-9.]+:\d+", "URL", block)
    block = re.sub(r"task_[0-9a-f]+", "TASK", block)
    block = re.sub(r"\d+(?:[.,]\d+)*", "N", block)
    return block.split(" ")


def test_example_of_a_failure_is_what_check_prints() -> None:
    marked = re.search(r"<!-- check: ([a-z-]+) -->\n```\n(.*?)\n```", README, re.DOTALL)
    assert marked
    name, shown = marked.groups()
    with running(BY_NAME[name]) as (url, token, _):
        command = [sys.executable, "-m", "sendpoll.cli.main", "check", url, "--token", token, "--seed", "1"]
        printed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, encoding="utf-8")
    assert printed.returncode == 1
    block = printed.stdout.split("\n\n", 1)[0]
    assert _normal(block) == _normal(shown)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert targets or page.name in {"ARCHITECTURE.md", "CONTRIBUTING.md"}
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_target_file_of_the_page_can_be_read(tmp_path: Path) -> None:
    (shown,) = re.findall(r"```yaml\n(url: .*?)\n```", CHECKS, re.DOTALL)
    (tmp_path / "server.yaml").write_text(shown, encoding="utf-8")
    for name in re.findall(r"[a-z-]+\.(?:pem|key|crt)", shown):
        (tmp_path / name).touch()
    target = load_target(tmp_path / "server.yaml", {"AGENT_TOKEN": "one", "OTHER_TOKEN": "two"})
    assert (target.token, target.second_token, target.timeouts.run) == ("one", "two", 1200)


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        (README, f"the catalogue: {len(load_catalogue().checked)} rows"),
        (CHECKS, f"{len(BY_NAME)} of them, {sum(mutant.conditional for mutant in BY_NAME.values())} of which"),
        (CHECKS, f"and {len(HOSTILE)} hostile ones get a verdict"),
    ],
)
def test_numbers_are_counted(page: str, sentence: str) -> None:
    assert sentence in page


def test_every_metric_of_an_objective_is_told() -> None:
    told = (ROOT / "load" / "README.md").read_text(encoding="utf-8")
    objectives = [parse_objective(text) for text in re.findall(r"^\| `([a-z_]+ [^`]*)` \| ", told, re.MULTILINE)]
    assert {objective.metric for objective in objectives} == set(METRICS)


def test_every_shipped_scenario_is_told() -> None:
    told = (ROOT / "load" / "README.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\| `([a-z]+)` \| ", told, re.MULTILINE)) == list(shipped_scenarios())


def _labels(printed: str) -> list[str]:
    """What the lines of a load's summary are about: headings, and the words at the beginning of a row."""
    lines = (
        re.match(r"(?:  )?(?:(?:pass|inconclusive) +)?([a-zA-Z][a-z]+(?: [a-z()]+)*)", line)
        for line in printed.splitlines()
    )
    return sorted({line[1] for line in lines if line})


def test_example_of_a_load_has_the_lines_that_load_prints() -> None:
    marked = re.search(r"<!-- load -->\n```\n(.*?)\n```", README, re.DOTALL)
    assert marked
    command = [sys.executable, "-m", "tests.cli.patient", "sendpoll", "load", "--users", "2", "--duration", "4s"]
    printed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, encoding="utf-8")
    assert printed.returncode in {0, 1, 3}, printed.stdout + printed.stderr
    assert _labels(printed.stdout) == _labels(marked[1])


def _printed_plan() -> str:
    """What `plan` prints of a server with ten slots, a log-normal second a task, that is held in virtual time."""
    plan = planned(Server(10, lognormal(1.0, 1.0), exponential(3.0)), ("task p95 <= 4.25s",))
    facts, metrics = facts_of(plan), Metrics(plan.settings.service)
    for record in facts.records:
        metrics.started()
        metrics.task(record)
    metrics.tick(facts.run.seconds, 1)
    result, _ = plan_result(replace(facts, run=replace(facts.run, metrics=metrics)))
    printed = io.StringIO()
    print_plan(result, console_for(printed))
    return printed.getvalue()


def test_example_of_a_plan_is_what_plan_prints_of_that_server() -> None:
    marked = re.search(r"<!-- plan -->\n```\n\$ sendpoll plan [^\n]*\n(.*?)\n```", README, re.DOTALL)
    assert marked
    assert _normal(marked[1].strip()) == _normal(_printed_plan().strip())
