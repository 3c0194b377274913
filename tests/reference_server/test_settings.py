from __future__ import annotations

from typing import Any

import pytest

from sendpoll.reference_server.settings import Settings, SettingsError


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tokens", ()),
        ("tokens", ("",)),
        ("tokens", ("two words",)),
        ("tokens", ("钥匙",)),
        ("port", -1),
        ("port", 65536),
        ("database", ""),
        ("slots", 0),
        ("chunks", 0),
        ("chunk_interval", -0.1),
        ("chunk_interval", float("nan")),
        ("chunk_interval", float("inf")),
        ("agent", "nobody"),
        ("service_time", "uniform"),
    ],
)
def test_a_value_that_cannot_be_served_is_refused_by_name(name: str, value: object) -> None:
    given: dict[str, Any] = {"tokens": ("t",), name: value}
    with pytest.raises(SettingsError, match=f"^{name}: "):
        Settings(**given)


@pytest.mark.parametrize(
    ("missing", "given"),
    [("openai_base_url", {"openai_model": "m"}), ("openai_model", {"openai_base_url": "http://x/v1"})],
)
def test_the_openai_agent_needs_endpoint_and_model(missing: str, given: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=f"^{missing}: "):
        Settings(tokens=("t",), agent="openai", **given)


def test_secrets_are_not_in_the_representation() -> None:
    shown = repr(Settings(tokens=("hush-token",), openai_api_key="hush-key"))
    assert "hush" not in shown
