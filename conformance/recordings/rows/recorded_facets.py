"""Which sides of an exchange each row of the server hangs on: without them, silence says nothing.

A violation that shows in what was recorded is one, whatever else is missing; but that none shows is no pass where the
recording could not have shown it. Where the body is missing, what would be read in its place is no violation either.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sendpoll.conformance.recordings.recorded_exchange import Facet

_BODY: Final = frozenset({Facet.RESPONSE_BODY})
_BYTES: Final = frozenset({Facet.RESPONSE_BODY, Facet.BODY_BYTES})
_WIRE: Final = frozenset({Facet.FRAMING})

BODIES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "createWorkspace": ("WS-1",),
        "createConversation": ("CONV-1", "ID-6", "ID-8"),
        "sendMessage": ("MSG-1", "ID-1", "ID-2", "ID-3", "ID-4", "ID-5", "ID-8"),
        "pollTask": (
            *(f"POLL-{number}" for number in (1, 2, 3, 4, 5, 6, 7, 8, 10, 12)),
            *(f"EVT-{number}" for number in (1, 2, 3, 4, 5)),
        ),
    }
)
"""Operation to the rows that are read in the body of its answer."""
ANY_BODY: Final = (
    "JSON-1",
    "JSON-2",
    "JSON-3",
    "JSON-4",
    "ENC-1",
    "ENC-2",
    "ENC-3",
    "ENC-4",
    "ENC-5",
    "ENC-6",
    "ENC-7",
)
"""The rows that are read in the body of any answer, or because it has one."""

NEEDS: Final[Mapping[str, frozenset[Facet]]] = MappingProxyType(
    {
        **dict.fromkeys((row for rows in BODIES.values() for row in rows), _BODY),
        **dict.fromkeys(ANY_BODY, _BODY),
        **dict.fromkeys(("JSON-1", "ENC-1", "ENC-7"), _BYTES),
        "ENC-6": frozenset({Facet.RESPONSE_BODY, Facet.REQUEST_HEADERS}),
        "ERR-1": _BODY,
        **dict.fromkeys(("HTTP-1", "HTTP-2", "HTTP-3", "HTTP-4", "HTTP-5"), _WIRE),
        "HTTP-6": frozenset({Facet.RAW_HEADERS}),
        "HTTP-7": frozenset({Facet.OUTCOME}),
        "HTTP-9": frozenset({Facet.PAUSES}),
        **dict.fromkeys(("CORS-2", "CORS-5", "CORS-6"), frozenset({Facet.RAW_HEADERS})),
    }
)
"""Row to what a recording must have of an exchange for the row to be kept by it; all others hang on nothing special."""
_BLIND: Final = frozenset({Facet.RESPONSE_BODY, Facet.REQUEST_HEADERS})
"""What a rule that lacks it would take for a fault."""


@functools.lru_cache(maxsize=1024)
def lacking(lacks: frozenset[Facet]) -> Mapping[str, frozenset[Facet]]:
    """The rows that hang on something that an exchange lacks, each with what that is."""
    return {row: needs & lacks for row, needs in NEEDS.items() if needs & lacks}


def is_blind(missing: frozenset[Facet]) -> bool:
    """Whether a violation that a rule sees may be nothing but what is missing."""
    return bool(missing & _BLIND)
