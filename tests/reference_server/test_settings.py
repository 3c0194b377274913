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
        ("openai_api_key", "hush\n"),
        ("openai_api_key", "钥匙"),
        ("openai_timeout", 0.0),
        ("openai_timeout", float("nan")),
        ("one_task_per", "user"),
        ("when_busy", "queue"),
        ("requests_per_second", 0.0),
        ("requests_per_second", float("nan")),
        ("requests_per_second", float("inf")),
        ("keep_events", 0),
        ("keep_seconds", 9.9),
        ("keep_seconds", float("nan")),
    ],
)
def test_a_value_that_cannot_be_served_is_refused_by_name(name: str, value: object) -> None:
    given: dict[str, Any] = {"tokens": ("t",), name: value}
    with pytest.raises(SettingsError, match=f"^{name}: ") as refused:
        Settings(**given)
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    ("missing", "given"),
    [
        ("openai_model", {"openai_base_url": "http://x/v1"}),
        *(
            ("openai_base_url", {"openai_model": "m", "openai_base_url": url})
            for url in ("", "x/v1", "ftp://x/v1", "http://", "http://[", "http://x:99999/v1", "http://x/\x1b")
        ),
    ],
)
def test_the_openai_agent_needs_endpoint_and_model(missing: str, given: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=f"^{missing}: "):
        Settings(tokens=("t",), agent="openai", **given)


def test_what_is_kept_is_said_in_one_way() -> None:
    with pytest.raises(SettingsError, match=r"^keep_events: not together with keep_seconds"):
        Settings(tokens=("t",), keep_events=5, keep_seconds=60.0)


def test_who_waits_or_is_refused_is_one_of_two() -> None:
    with pytest.raises(SettingsError, match=r"^when_busy: 'wait'"):
        Settings(tokens=("t",), one_task_per="token", when_busy="wait")


def test_secrets_are_not_in_the_representation() -> None:
    shown = repr(Settings(tokens=("hush-token",), openai_api_key="hush-key"))
    assert "hush" not in shown
