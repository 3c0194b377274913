"""What to configure when nothing in a run could have broken a requirement."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_NO_TEXT = "no task answered with a text_chunk; give a message that this server answers: --prompt plain=TEXT"
_NO_UNICODE = (
    "no answer held text beyond ASCII; give a message that this server answers with some: --prompt unicode=TEXT"
)

HINTS: Mapping[str, str] = MappingProxyType(
    {
        "EVT-1": "no task had any event; give a message that this server answers: --prompt plain=TEXT",
        "EVT-2": "no task had any event; give a message that this server answers: --prompt plain=TEXT",
        "EVT-3": _NO_TEXT,
        "EVT-4": _NO_TEXT,
        "EVT-5": "no answer held an emoji; give a message that this server answers with one: --prompt unicode=TEXT",
        "ENC-1": _NO_UNICODE,
        "ENC-4": _NO_UNICODE,
        "POLL-3": "no poll had a next_offset; POLL-2 tells",
        "POLL-4": "no poll had a next_offset that is an integer; POLL-2 and POLL-3 tell",
        "POLL-5": "no task had any event; give a message that this server answers: --prompt plain=TEXT",
        "POLL-6": _NO_TEXT,
        "POLL-8": "no task came to its end with events; give a message that this server answers: --prompt plain=TEXT",
        "POLL-9": "no task was watched for its whole patience; give the run more time with --deadline",
        "POLL-12": "no poll came back without a new event",
    }
)
"""Requirement id to the sentence that a report shows beside `not exercised`."""
