"""Agents: what turns a message into the events of its task."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sendpoll.reference_server.agents.base import Agent
from sendpoll.reference_server.agents.echo import EchoAgent
from sendpoll.reference_server.agents.openai import OpenAIAgent
from sendpoll.reference_server.agents.scripted import ScriptedAgent
from sendpoll.reference_server.agents.service_time import service_times
from sendpoll.reference_server.clock import Clock
from sendpoll.reference_server.settings import Settings


def _scripted(settings: Settings, clock: Clock) -> Agent:
    mean = settings.chunks * settings.chunk_interval
    return ScriptedAgent(clock, settings.chunks, service_times(settings.service_time, mean, settings.seed))


def _echo(_settings: Settings, _clock: Clock) -> Agent:
    return EchoAgent()


def _openai(settings: Settings, _clock: Clock) -> Agent:
    return OpenAIAgent(
        settings.openai_base_url, settings.openai_model, settings.openai_api_key, settings.openai_timeout
    )


_MAKERS: Mapping[str, Callable[[Settings, Clock], Agent]] = {"scripted": _scripted, "echo": _echo, "openai": _openai}


def make_agent(settings: Settings, clock: Clock) -> Agent:
    """The agent that the settings name."""
    return _MAKERS[settings.agent](settings, clock)
