"""What all traffic of the run shows: the rules that look at every exchange, judged when everything else is done."""

from __future__ import annotations

import pytest

from sendpoll.conformance.case import Case
from sendpoll.conformance.corpus import Corpus
from sendpoll.conformance.lab import Lab
from sendpoll.conformance.observations import RULES

STAGE = 9
_WATCHED = sorted({rule.requirement for rule in RULES})


@pytest.mark.parametrize(
    "identifier", [pytest.param(identifier, marks=pytest.mark.requirement(identifier)) for identifier in _WATCHED]
)
def test_all_traffic(identifier: str, lab: Lab, corpus: Corpus, case: Case) -> None:
    """No exchange of the whole run broke the rule."""
    case.take(lab.recorder.tally(identifier))
