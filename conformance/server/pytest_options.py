"""The way in for those who run the suite with pytest itself: `pytest --pyargs sendpoll.conformance --base-url URL`.

pytest reads its command line before it looks into an installed package, so a conftest there would come too late. This
small plugin is installed by an entry point: every pytest of the environment takes its options, and loads the suite's
plugin where the suite is asked for.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from pathlib import Path

import pytest

_SUITE = "sendpoll.conformance"


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Say where the server is, who we are to it, and how it is judged."""
    group = parser.getgroup("sendpoll", "conformance of a send-and-poll server")
    if not _has_base_url(pluginmanager):
        group.addoption("--base-url", metavar="URL", help="base URL of the server")
    group.addoption("--token-env", metavar="NAME", default="SENDPOLL_TOKEN", help="environment variable of the token")
    group.addoption("--second-token-env", metavar="NAME", help="environment variable of somebody else's token")
    group.addoption("--sendpoll-target", metavar="FILE", help="target file (YAML)")
    group.addoption("--sendpoll-seed", metavar="N", type=int, help="seed of everything that is drawn")
    group.addoption("--sendpoll-restart", metavar="COMMAND", help="shell command that restarts the server")
    group.addoption("--sendpoll-examples", metavar="N", type=int, default=100, help="examples per fuzzed property")


def _has_base_url(pluginmanager: pytest.PytestPluginManager) -> bool:
    """Whether pytest-base-url has the option or will: its means the same, and fails where there is one already."""
    if pluginmanager.is_blocked("base_url") or os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
        return False
    return importlib.util.find_spec("pytest_base_url") is not None


def pytest_configure(config: pytest.Config) -> None:
    """Load the suite's plugin if the suite is among what pytest is to run."""
    if any(_is_of_the_suite(config, argument.partition("::")[0]) for argument in config.args):
        config.pluginmanager.import_plugin(f"{_SUITE}.server.plugin")
        native = importlib.import_module(
            f"{_SUITE}.server.pytest_exit"
        )  # not before: pytest of other projects must not import it
        config.pluginmanager.register(native.Verdicts(), "sendpoll verdicts")


def _is_of_the_suite(config: pytest.Config, argument: str) -> bool:
    if config.option.pyargs and f"{argument}.".startswith(f"{_SUITE}."):
        return True
    path = config.invocation_params.dir / argument
    return path.exists() and path.resolve().is_relative_to(Path(__file__).resolve().parents[1])
