"""What all traffic of the run shows: the rules that look at every exchange, judged when everything else is done."""

from __future__ import annotations

import pytest

from sendpoll.conformance.rules.rules import RULES
from sendpoll.conformance.server.checks.check_result import CheckResult
from sendpoll.conformance.server.probing.recorded_tasks import Corpus
from sendpoll.conformance.server.probing.run_context import RunContext

STAGE = 9
_WATCHED = sorted({rule.requirement for rule in RULES})


@pytest.mark.parametrize(
    "identifier", [pytest.param(identifier, marks=pytest.mark.requirement(identifier)) for identifier in _WATCHED]
)
def test_all_traffic(identifier: str, context: RunContext, corpus: Corpus, case: CheckResult) -> None:
    """No exchange of the whole run broke the rule."""
    case.add(context.recorder.tally(identifier))
