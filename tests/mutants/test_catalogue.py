"""The table of mutants is whole, and the files that were generated from it are fresh."""

from __future__ import annotations

import json
import re
from pathlib import Path

from sendpoll.schemas.catalogue import Level, load_catalogue
from tests.mutants.catalogue import MUTANTS
from tests.mutants.matrix import PROOFS, TABLE, digest, meaning, proofs


def test_every_checked_requirement_has_a_mutant() -> None:
    assert [identifier for identifier, names in proofs().items() if not names] == []


def test_every_mutant_names_requirements_that_are_checked() -> None:
    levels = {row.id: row.level for row in load_catalogue().checked}

    for mutant in MUTANTS:
        assert mutant.requirement in levels, mutant.name
        assert mutant.requirement not in mutant.also, mutant.name
        assert all(levels.get(identifier) is Level.MUST for identifier in mutant.also), mutant.name


def test_names_are_unique_and_in_kebab_case() -> None:
    names = [mutant.name for mutant in MUTANTS]

    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)] == []


def test_there_are_enough_mutants_and_conditional_ones_among_them() -> None:
    assert len(MUTANTS) >= 100
    assert sum(mutant.conditional for mutant in MUTANTS) >= 35


def test_the_list_of_proofs_is_fresh() -> None:
    """Written by `python -m tests.mutants.matrix --write`."""
    assert json.loads(PROOFS.read_text(encoding="utf-8")) == proofs()


def test_the_kill_matrix_is_of_this_suite() -> None:
    """Where it is not: python -m tests.mutants.matrix --write, once the rules are as they shall be."""
    assert f"of the suite {digest()};" in TABLE.read_text(encoding="utf-8")


def test_the_digest_is_of_what_is_run_and_not_of_words(tmp_path: Path) -> None:
    plain, told = tmp_path / "plain.py", tmp_path / "told.py"
    plain.write_text("def f(x):\n    return x + 1\n", encoding="utf-8")
    told.write_text('"""What it is."""\ndef f(x):\n    """More."""\n    return (x + 1)  # one more\n', encoding="utf-8")
    other = tmp_path / "other.py"
    other.write_text("def f(x):\n    return x + 2\n", encoding="utf-8")

    assert meaning(plain) == meaning(told) != meaning(other)


def test_the_kill_matrix_is_fresh() -> None:
    """Every mutant has a row, in the order of the table, with its requirement failed."""
    rows = re.findall(r"^\| `([^`]+)` \|.*\| (\S+) \| [^|]*\|$", TABLE.read_text(encoding="utf-8"), re.MULTILINE)

    assert rows == [(mutant.name, mutant.requirement) for mutant in MUTANTS]
