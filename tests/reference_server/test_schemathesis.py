"""A stranger's reading of `openapi.yaml`: Schemathesis with all its checks in all its phases, briefly."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from pathlib import Path

from tests.reference_server.conftest import TOKEN, Api

ROOT = Path(__file__).parents[2]


def test_schemathesis_finds_nothing(api: Api, tmp_path: Path) -> None:
    program = shutil.which("schemathesis", path=sysconfig.get_path("scripts"))
    assert program, "schemathesis is in the extra `dev`"
    done = subprocess.run(
        [program, "--config-file", str(ROOT / "schemathesis.toml"), "run", f"{api.url}/openapi.json",
         "--header", f"Authorization: Bearer {TOKEN}", "--seed", "1", "--max-examples", "20", "--no-color"],
        capture_output=True, text=True, check=False, timeout=300, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 selected / 4 total" in done.stdout
