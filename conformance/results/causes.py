"""Which failed row explains others: a fault that shows in one place is met in the places behind it too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_READ_BEFORE_ANYTHING = frozenset({"JSON-1", "ENC-1", "REQ-5", "WS-1", "CONV-1", "MSG-1", "POLL-1"})
"""What cannot be right in a body that does not come as it was sent."""
_EXPLAINS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("HTTP-1", "HTTP-2", "HTTP-3", "ENC-6", "ENC-7"), _READ_BEFORE_ANYTHING),
    "REQ-1": frozenset({"HTTP-9"}),
    "REQ-2": frozenset({"CONV-1"}),
    "REQ-4": frozenset({"REQ-1", "REQ-2", "POLL-1"}),
    "REQ-5": frozenset({"CONV-1", "MSG-1"}),
    "REQ-8": frozenset({"CONV-1", "MSG-1", "POLL-1"}),
    "REQ-9": frozenset({"WS-2"}),
    "WS-2": frozenset({"MSG-1"}),
    "WS-3": frozenset({"WS-2"}),
    "CONV-2": frozenset({"CONV-1"}),
    "MSG-1": frozenset({"QUEUE-1"}),
    **dict.fromkeys(("ID-1", "ID-2", "ID-3", "ID-4", "ID-5"), frozenset({"MSG-2", "POLL-1"})),
    "ISO-1": frozenset({"QUEUE-1", "FROM-2", "POLL-5", "POLL-8"}),
    "POLL-2": frozenset({"POLL-5"}),
    "POLL-3": frozenset({"POLL-5"}),
    "POLL-7": frozenset({"POLL-8"}),
    "POLL-9": frozenset({"QUEUE-1"}),
    "EVT-3": frozenset({"QUEUE-1"}),
    "EVT-4": frozenset({"POLL-5"}),
    "ENC-3": frozenset({"ENC-1"}),
    "HTTP-7": frozenset({"HTTP-9"}),
    "HTTP-8": frozenset({"HTTP-7"}),
    "FROM-2": frozenset({"POLL-5", "POLL-8"}),
}
"""A row to those that fail with it where it fails; seen on servers with one fault."""


def explained_by(requirement: str, failed: Iterable[str]) -> list[str]:
    """The failed rows from which the failure of this one follows; none where it stands for itself."""
    return [cause for cause in failed if requirement in _EXPLAINS.get(cause, ())]
