"""What the first minute costs: help imports nothing heavy, and judging imports nothing that makes load."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    *("pytest", "hypothesis", "jsonschema", "jsonschema_rs", "yaml", "jinja2", "httpx", "starlette", "uvicorn"),
    *("locust", "gevent", "psutil", "zmq", "playwright", "prometheus_client"),
}
LOAD = {"locust", "gevent", "geventhttpclient", "zmq"}


def imported(program: str) -> set[str]:
    """The top-level modules that are there when a program ends."""
    told = "\nimport sys\nprint(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    ran = subprocess.run([sys.executable, "-c", program + told], capture_output=True, text=True, check=True)
    return set(ran.stderr.split())


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_the_list_of_commands_imports_nothing_heavy(arguments: list[str]) -> None:
    program = f"from sendpoll.cli.main import cli\ncli.main({arguments!r}, standalone_mode=False)"
    assert imported(program) & HEAVY == set()


def test_the_suite_is_there_without_what_makes_load() -> None:
    assert imported("import sendpoll.conformance.server.suite_run") & LOAD == set()
