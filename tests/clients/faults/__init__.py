"""The table of faults: for each MUST of the catalogue, the ways of breaking it that a client can meet."""

from __future__ import annotations

from collections.abc import Mapping

from tests.clients.fault import Fault
from tests.clients.faults import acceptance, browsers, documents, polling, text, transport

FAULTS: tuple[Fault, ...] = (
    *acceptance.FAULTS,
    *documents.FAULTS,
    *polling.FAULTS,
    *text.FAULTS,
    *transport.FAULTS,
    *browsers.FAULTS,
)

_AFTER_ANOTHER = "a client comes to it only after another fault has broken it already"
INEXPRESSIBLE: Mapping[str, str] = {
    "FROM-2": _AFTER_ANOTHER,
    "AUTH-3": "only a user's wrong token leads to it",
}
"""MUST rows without a fault, each with its reason: a right client on a right server is never broken by these alone."""
