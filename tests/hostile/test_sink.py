"""Every command, every format, with hostile text in every place that a server, a file or a worker can fill."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from tests.hostile.lines import listening
from tests.hostile.sink import HOSTILE, faults_of, speak

_GUARD_S = 240
_COMMAND = (sys.executable, "-m", "sendpoll.cli.main")
_ARGUMENT = HOSTILE.replace("\0", "").replace("\ud83d", "")
"""As much of it as the command line of a process can carry."""


@pytest.fixture(name="url", scope="module")
def _url() -> Iterator[str]:
    with listening(speak) as port:
        yield f"http://127.0.0.1:{port}"


def ran(
    *arguments: str, folder: Path, cut_after: float | None = None, command: tuple[str, ...] = _COMMAND
) -> subprocess.CompletedProcess[bytes]:
    """A command as a CI job runs it; with `cut_after` interrupted once it has run so long."""
    environ = {**os.environ, "GITHUB_ACTIONS": "true", "SENDPOLL_TOKEN": "T0k3n-9f8e7d6c"}
    with subprocess.Popen(
        [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ, cwd=folder
    ) as process:
        if cut_after is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(cut_after)
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=_GUARD_S)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def assert_harmless(done: subprocess.CompletedProcess[bytes], folder: Path, files: set[str]) -> None:
    """Nothing that was written acts, and every file is what its name says."""
    assert b"Traceback" not in done.stdout + done.stderr
    assert b"fault of sendpoll itself" not in done.stderr
    found = {"stdout": list(faults_of(done.stdout, log=True)), "stderr": list(faults_of(done.stderr, log=True))}
    for path in folder.iterdir():
        if path.is_file():
            found[path.name] = list(faults_of(path.read_bytes()))
    assert {name: faults for name, faults in found.items() if faults} == {}
    assert files <= {path.name for path in folder.iterdir()}
    for name in files:
        _READ[name.rpartition(".")[2]]((folder / name).read_text(encoding="utf-8"))


class _Elements(HTMLParser):
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in {"img", "iframe", "object", "embed", "link", "base"}
        assert not [name for name, _ in attrs if name.startswith("on") or name in {"src", "action"}]


def _read_html(text: str) -> None:
    _Elements().feed(text)
    assert "document.title=&#39;owned&#39;" in text or "document.title='owned'" not in text


def _read_markdown(text: str) -> None:
    page = str(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))
    assert set(re.findall(r"<(\w+)", page)) <= _MARKDOWN


_MARKDOWN = {"h2", "h3", "p", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "strong", "code", "br"}
_READ: Mapping[str, Callable[[str], object]] = {
    "json": json.loads,
    "jsonl": lambda text: [json.loads(line) for line in text.splitlines()],
    "xml": ET.fromstring,
    "html": _read_html,
    "md": _read_markdown,
}
_CHECK = {"report.json", "report.html", "junit.xml", "summary.md", "badge.json"}
_LOAD = {"result.json", "report.html", "junit.xml", "summary.md", "tasks.jsonl"}
_PLAN = {"plan.json", "plan.html", "junit.xml", "summary.md", "tasks.jsonl"}


@pytest.fixture(name="checked", scope="module")
def _checked(url: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[bytes], Path]:
    folder = tmp_path_factory.mktemp("check")
    return ran("check", url, "--deadline", "60", "--report-dir", str(folder), folder=folder), folder


def test_check(checked: tuple[subprocess.CompletedProcess[bytes], Path]) -> None:
    done, folder = checked
    assert done.returncode == 1, json.loads((folder / "report.json").read_bytes())["notes"]
    assert_harmless(done, folder, _CHECK)
    assert b"owned" in (folder / "report.json").read_bytes(), "what the server said is not in the report at all"
    assert b"\n::error title=" in done.stdout


def test_load(url: str, tmp_path: Path) -> None:
    done = ran("load", url, "--users", "3", "--duration", "4s", "--report-dir", str(tmp_path), folder=tmp_path)
    assert done.returncode == 1
    assert_harmless(done, tmp_path, _LOAD)


_CLUSTER_SECRET = "shared-by-master-and-worker"


def _await_tasks(master: subprocess.Popen[bytes]) -> None:
    """Until the master tells of the run that goes on: its workers are there, and have users."""
    assert master.stderr is not None
    while b"good/s" not in (told := master.stderr.readline()):
        assert told, "the master has ended"


def test_load_with_a_worker_of_a_hostile_name(url: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    program = f"""
from types import SimpleNamespace
from sendpoll.core.target.target import Target
from sendpoll.load.on_locust import worker
worker.socket = SimpleNamespace(gethostname=lambda: {HOSTILE.replace(chr(0xD83D), "")!r})
worker.run_worker("127.0.0.1", {port}, Target(token="T0k3n-9f8e7d6c"), {_CLUSTER_SECRET!r})
"""
    worker = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        environ = {
            **os.environ,
            "GITHUB_ACTIONS": "true",
            "SENDPOLL_TOKEN": "T0k3n-9f8e7d6c",
            "SENDPOLL_CLUSTER_SECRET": _CLUSTER_SECRET,
        }
        arguments = ["load", url, "--users", "2", "--duration", "30s", "--master", "--master-port", port]
        with subprocess.Popen(
            [*_COMMAND, *arguments, "--report-dir", str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environ,
        ) as master:
            _await_tasks(master)
            worker.kill()
            out, err = master.communicate(timeout=_GUARD_S)
    finally:
        worker.kill()
        worker.wait()
    told = json.loads((tmp_path / "result.json").read_bytes())["generator"]["problems"]
    assert any("stop-commands" in problem for problem in told)
    assert_harmless(subprocess.CompletedProcess(arguments, 0, out, err), tmp_path, _LOAD)


def test_plan(url: str, tmp_path: Path) -> None:
    arguments = ("plan", url, "--quick", "--no-doctor", "--report-dir", str(tmp_path))
    done = ran(*arguments, folder=tmp_path, cut_after=12)
    assert done.returncode in {5, 130}
    assert_harmless(done, tmp_path, _PLAN)


def poisoned(value: Any) -> Any:
    """A report with hostile text wherever its schema asks for any text."""
    if isinstance(value, str):
        return value if value in _WORDS or value.startswith(("POLL", "http")) else f"{value} {HOSTILE}"
    if isinstance(value, dict):
        return {key: poisoned(item) for key, item in value.items()}
    return [poisoned(item) for item in value] if isinstance(value, list) else value


_WORDS = frozenset(
    (
        *("MUST", "SHOULD", "must", "should", "pass", "fail", "not_exercised", "not_applicable", "inconclusive"),
        *("conformant", "nonconformant", "undetermined", "sendpoll", "GET", "POST"),
    )
)


def test_client_that_says_and_prints_harm(tmp_path: Path) -> None:
    command = ("env", f"PYTHONPATH={Path(__file__).parents[2]}", sys.executable, "-m", "tests.hostile.client")
    done = ran("client", "--report-dir", str(tmp_path), "--", *command, folder=tmp_path)
    assert done.returncode in {1, 3}
    assert_harmless(done, tmp_path, _CHECK)
    assert b"owned" in (tmp_path / "report.json").read_bytes(), "what the client said is not in the report at all"
    assert not any(
        b"bearer " in path.read_bytes().lower().replace(b"bearer [token]", b"") for path in tmp_path.iterdir()
    )


def test_replay_of_a_strangers_report(
    url: str, checked: tuple[subprocess.CompletedProcess[bytes], Path], tmp_path: Path
) -> None:
    report = json.loads((checked[1] / "report.json").read_bytes())
    failed = next(row["id"] for row in report["requirements"] if row["verdict"] == "fail" and row["violations"])
    rows = [row if row["id"] != failed else poisoned(row) | {"id": failed} for row in report["requirements"]]
    (tmp_path / "report.json").write_text(json.dumps(report | {"requirements": rows}), encoding="utf-8")
    done = ran("replay", "report.json", failed, "--url", url, folder=tmp_path)
    assert_harmless(done, tmp_path, {"report.json"})
    (tmp_path / "report.json").write_text(json.dumps(poisoned(report)), encoding="utf-8")
    assert_harmless(ran("replay", "report.json", failed, "--url", url, folder=tmp_path), tmp_path, {"report.json"})


def test_judge_of_a_strangers_recording(
    checked: tuple[subprocess.CompletedProcess[bytes], Path], tmp_path: Path
) -> None:
    """Once as the suite wrote it of a hostile server, and once with every text in it changed."""
    report = json.loads((checked[1] / "report.json").read_bytes())
    for told in (report, poisoned(report)):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        (folder / "recording.json").write_text(json.dumps(told), encoding="utf-8")
        done = ran("judge", "recording.json", "--report-dir", str(folder / "judged"), folder=folder)
        assert_harmless(done, folder, {"recording.json"})
        if told is report:
            assert_harmless(done, folder / "judged", _CHECK)


def test_page_of_strangers_reports(checked: tuple[subprocess.CompletedProcess[bytes], Path], tmp_path: Path) -> None:
    report = json.loads((checked[1] / "report.json").read_bytes())
    rows = [row | {"reason": HOSTILE, "title": HOSTILE} for row in report["requirements"]]
    for name, told in (("heard", report), ("evil", report | {"notes": [HOSTILE], "requirements": rows})):
        (tmp_path / f"{name}.json").write_text(json.dumps(told), encoding="utf-8")
    site = tmp_path / "site"
    done = ran("report", "merge", "heard.json", "evil.json", "--report-dir", str(site), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert_harmless(done, site, set())
    refused = ran("report", "merge", f"evil {_ARGUMENT}=heard.json", "--report-dir", str(site), folder=tmp_path)
    assert refused.returncode == 2
    assert_harmless(refused, site, set())


def test_trend_of_strangers_results(url: str, tmp_path: Path) -> None:
    ran("load", url, "--users", "2", "--duration", "2s", "--report-dir", str(tmp_path / "0"), folder=tmp_path)
    result = json.loads((tmp_path / "0" / "result.json").read_bytes())
    for run in range(1, 4):
        (tmp_path / str(run)).mkdir()
        result["started_at"] = f"2026-11-2{run}T00:00:00+00:00"
        result["target"]["base_url"] = f"http://x/{HOSTILE}"
        result["scenario"]["name"] = HOSTILE
        (tmp_path / str(run) / "result.json").write_text(json.dumps(result), encoding="utf-8")
    done = ran("trend", ".", "--report-dir", str(tmp_path / "trend"), folder=tmp_path)
    assert_harmless(done, tmp_path / "trend" if (tmp_path / "trend").exists() else tmp_path, set())


def test_compare_with_a_strangers_result(url: str, tmp_path: Path) -> None:
    first = ("load", url, "--users", "2", "--duration", "2s", "--report-dir", str(tmp_path))
    ran(*first, folder=tmp_path)
    result = json.loads((tmp_path / "result.json").read_bytes())
    result |= {"verdict": "fail", "started_at": f"2026 {HOSTILE}", "sentence": HOSTILE}
    result["target"]["base_url"] = f"http://x/{HOSTILE}"
    before = tmp_path / "before"
    before.mkdir()
    (before / "result.json").write_text(json.dumps(result), encoding="utf-8")
    done = ran(*first, "--compare", str(before / "result.json"), folder=tmp_path)
    assert_harmless(done, tmp_path, _LOAD)


@pytest.mark.parametrize(
    "arguments",
    [
        ("explain", _ARGUMENT),
        ("requirements", "--level", _ARGUMENT),
        ("check", f"http://127.0.0.1:1/{_ARGUMENT}"),
        ("check", "http://127.0.0.1:1", "--baseline", "hostile.yaml"),
        ("check", "--target", "hostile.yaml"),
        ("load", "http://127.0.0.1:1", "--scenario", "hostile.yaml"),
        ("load", "http://127.0.0.1:1", "--slo", _ARGUMENT),
        ("load", "http://127.0.0.1:1", "--compare", "hostile.json"),
        ("plan", "http://127.0.0.1:1", "--budget", _ARGUMENT),
        ("replay", "hostile.json", "POLL-3"),
        (_ARGUMENT,),
    ],
    ids=lambda arguments: " ".join(argument if argument != _ARGUMENT else "HOSTILE" for argument in arguments)[:60],
)
def test_what_is_refused_is_quoted_without_harm(arguments: tuple[str, ...], tmp_path: Path) -> None:
    row = {"id": HOSTILE, "reason": HOSTILE}
    hostile = {HOSTILE: HOSTILE, "known_failures": [row], "url": HOSTILE, "name": HOSTILE}
    (tmp_path / "hostile.json").write_text(json.dumps(hostile), encoding="utf-8")
    (tmp_path / "hostile.yaml").write_text(json.dumps(hostile).replace("\\ud83d ", ""), encoding="utf-8")
    done = ran(*arguments, folder=tmp_path)
    assert done.returncode not in {0, 1}
    assert_harmless(done, tmp_path, set())


def test_pytest_mode(url: str, tmp_path: Path) -> None:
    arguments = ("--pyargs", "sendpoll.conformance", "--base-url", url, "--junitxml", "junit.xml", "-rA")
    picked = ("-k", "POLL or MSG or HTTP-1 or NF-3", "-p", "no:cacheprovider")
    done = ran(*arguments, *picked, folder=tmp_path, command=(sys.executable, "-m", "pytest"))
    assert done.returncode == 1
    assert b"FAILED" in done.stdout
    assert b"owned" in done.stdout
    assert_harmless(done, tmp_path, {"junit.xml"})
