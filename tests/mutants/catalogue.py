"""All mutants, chapter by chapter."""

from __future__ import annotations

from collections.abc import Mapping

from tests.mutants import (
    concurrency,
    cors,
    errors,
    events,
    framing,
    history,
    ids,
    json_text,
    mistakes,
    offsets,
    overlap,
    ownership,
    poll,
    posts,
    requests,
    restarts,
)
from tests.mutants.model import Mutant

_CHAPTERS = (
    requests,
    posts,
    ids,
    poll,
    history,
    concurrency,
    overlap,
    events,
    json_text,
    framing,
    cors,
    offsets,
    ownership,
    errors,
    mistakes,
    restarts,
)

MUTANTS: tuple[Mutant, ...] = tuple(mutant for chapter in _CHAPTERS for mutant in chapter.MUTANTS)
BY_NAME: Mapping[str, Mutant] = {mutant.name: mutant for mutant in MUTANTS}
