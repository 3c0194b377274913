"""Many files of one workload: in the order of time, with what got worse of late, and for other services."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sendpoll.cli.main import cli
from tests.load.made_up import Run, metrics_of, result_of
from tests.load.plan.made_up import made_up_result


def write_runs(folder: Path, slowness: list[float], **changes: Any) -> None:
    for place, slower in enumerate(slowness):
        run = Run(seconds=30, seed=place, slower=slower, polls=2)
        result = result_of(metrics_of(run), started_at=1_790_000_000.0 + 3600 * place)
        (folder / f"{place:02}").mkdir(parents=True)
        (folder / f"{place:02}" / "result.json").write_text(json.dumps(result | changes))


def trend(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["trend", *map(str, arguments)], catch_exceptions=False)


def test_what_got_slower_of_late_fails_and_is_told_for_other_services(tmp_path: Path) -> None:
    write_runs(tmp_path / "runs", [1.0] * 10 + [1.6] * 6)
    done = trend(tmp_path / "runs", "--report-dir", tmp_path / "out")
    assert done.exit_code == 1
    assert "ttfe p95" in done.output
    told = json.loads((tmp_path / "out" / "trend.json").read_text())
    (series,) = told["series"]
    measures = {measure["name"]: measure for measure in series["measures"]}
    assert measures["task p95"]["regressed"]
    assert measures["task p95"]["changes"][-1]["run"] in {9, 10, 11}
    assert [run["started_at"] for run in series["runs"]] == sorted(run["started_at"] for run in series["runs"])
    smaller = json.loads((tmp_path / "out" / "benchmark-smaller-is-better.json").read_text())
    assert {"name", "unit", "value"} <= smaller[0].keys()
    assert smaller[0]["name"] == "load chat: ttfe p50"
    bigger = json.loads((tmp_path / "out" / "benchmark-bigger-is-better.json").read_text())
    assert "load chat: attainment" in {row["name"] for row in bigger}
    bencher = json.loads((tmp_path / "out" / "bencher.json").read_text())
    assert bencher["load chat"]["task p95 (s)"]["value"] == measures["task p95"]["values"][-1]
    assert "plots" in (tmp_path / "out" / "trend.html").read_text()


def test_what_got_slower_long_ago_or_faster_is_told_and_passes(tmp_path: Path) -> None:
    write_runs(tmp_path / "old", [1.0] * 8 + [1.6] * 8)
    assert trend(tmp_path / "old", "--recent", "3").exit_code == 0
    write_runs(tmp_path / "better", [1.6] * 8 + [1.0] * 8)
    done = trend(tmp_path / "better")
    assert done.exit_code == 0
    assert "since" in done.output


def test_a_steady_service_passes_and_few_runs_tell_nothing(tmp_path: Path) -> None:
    write_runs(tmp_path / "steady", [1.0] * 12)
    assert trend(tmp_path / "steady").exit_code == 0
    write_runs(tmp_path / "few", [1.0] * 3)
    few = trend(tmp_path / "few")
    assert few.exit_code == 3
    assert "too few runs" in few.output


def test_runs_that_say_nothing_are_left_out_and_workloads_kept_apart(tmp_path: Path) -> None:
    write_runs(tmp_path / "a", [1.0] * 9)
    write_runs(tmp_path / "b", [1.0] * 2, workload_digest="sha256:" + "0" * 64)
    write_runs(tmp_path / "c", [9.0], verdict="invalid", exit_code=4, sentence="the generator was late")
    done = trend(tmp_path)
    assert done.exit_code == 0
    assert "load chat, 9 runs" in done.output
    assert "load chat, 2 runs" in done.output
    assert "left out" in done.output
    assert "it is invalid" in done.output


@pytest.mark.parametrize("content", ["{}", "no json", "[1]"])
def test_what_is_no_result_is_named(content: str, tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text(content)
    done = trend(tmp_path)
    assert done.exit_code == 2
    assert "result.json" in done.output
    assert trend(tmp_path / "result.json").exit_code == 2
    (tmp_path / "empty").mkdir()
    assert "no result.json and no plan.json" in trend(tmp_path / "empty").output


def test_plans_are_followed_by_their_answer(tmp_path: Path) -> None:
    plan, _ = made_up_result()
    for place in range(14):
        level = 20.0 if place < 8 else 12.0
        answer = plan["answer"] | {"level": level + place % 2 * 0.5, "low": level - 1, "high": level + 1}
        (tmp_path / f"{place:02}").mkdir()
        told = plan | {"answer": answer, "started_at": f"2026-11-{place + 1:02}T00:00:00+00:00"}
        (tmp_path / f"{place:02}" / "plan.json").write_text(json.dumps(told))
    done = trend(tmp_path)
    assert done.exit_code == 1
    assert "worse of late: chat: users" in done.output
