"""Lets `pytest --pyargs sendpoll.conformance` find the plugin, which `sendpoll check` loads by its name."""

from __future__ import annotations

pytest_plugins = ["sendpoll.conformance.plugin"]
