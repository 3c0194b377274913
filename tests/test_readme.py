"""The README says what is true: its example is what the command prints, and its recipes are valid."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.mutants.catalogue import BY_NAME
from tests.mutants.serve import running

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _normal(block: str) -> list[str]:
    """The lines of a failure without what differs from run to run: ports, ids, numbers, times, the cut of a body."""
    block = re.sub(r'\n +\{"data".*?(?=\n    curl )', "", block, flags=re.DOTALL)
    block = re.sub(r"\s+", " ", block)
    block = re.sub(r"http://[a-z0-9.]+:\d+", "URL", block)
    block = re.sub(r"task_[0-9a-f]+", "TASK", block)
    block = re.sub(r"\d+(?:\.\d+)?", "N", block)
    return block.split(" ")


def test_example_of_a_failure_is_what_check_prints() -> None:
    marked = re.search(r"<!-- check: ([a-z-]+) -->\n```\n(.*?)\n```", README, re.DOTALL)
    assert marked
    name, shown = marked.groups()
    with running(BY_NAME[name]) as (url, token, _):
        command = [sys.executable, "-m", "sendpoll.cli.main", "check", url, "--token", token, "--seed", "1"]
        printed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, encoding="utf-8")
    assert printed.returncode == 1
    block = printed.stdout.split("\n\n", 1)[0]
    assert _normal(block) == _normal(shown)


def _recipes() -> list[str]:
    return re.findall(r"```yaml\n(# \..*?)\n```", README, re.DOTALL)


@pytest.mark.parametrize("recipe", _recipes(), ids=lambda text: text.split("\n")[0].removeprefix("# "))
def test_recipe_follows_its_schema(recipe: str, tmp_path: Path) -> None:
    name = recipe.split("\n", maxsplit=1)[0].removeprefix("# ")
    schemas = {
        ".github/workflows/conformance.yaml": "vendor.github-workflows",
        ".gitlab-ci.yml": "vendor.gitlab-ci",
        ".pre-commit-config.yaml": None,
    }
    path = tmp_path / Path(name).name
    path.write_text(recipe + "\n", encoding="utf-8")
    schema = schemas[name]
    if schema is None:
        hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
        used = yaml.safe_load(recipe)["repos"][0]["hooks"]
        assert [hook["id"] for hook in used] == [hook["id"] for hook in hooks]
        return
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_link_leads_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []
