"""The options for those who run the suite with pytest itself, as a pytest plugin of its own that does nothing else.

pytest reads its command line before it looks into an installed package, so options of the suite's own plugin would come
too late. This one is installed by an entry point and makes every pytest of the environment take them.
"""

from __future__ import annotations

import importlib.util

import pytest


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Say where the server is, who we are to it, and how it is judged."""
    group = parser.getgroup("sendpoll", "conformance of a send-and-poll server")
    foreign = importlib.util.find_spec("pytest_base_url") is not None and not pluginmanager.is_blocked("base_url")
    if not foreign:  # pytest-base-url has the same option with the same meaning, and fails where it exists already
        group.addoption("--base-url", metavar="URL", help="base URL of the server")
    group.addoption("--token-env", metavar="NAME", default="SENDPOLL_TOKEN", help="environment variable of the token")
    group.addoption("--second-token-env", metavar="NAME", help="environment variable of somebody else's token")
    group.addoption("--sendpoll-target", metavar="FILE", help="target file (YAML)")
    group.addoption("--sendpoll-seed", metavar="N", type=int, help="seed of everything that is drawn")
    group.addoption("--sendpoll-examples", metavar="N", type=int, default=100, help="examples per fuzzed property")
