"""Files of strangers are read or refused, in bounded time and memory."""

from __future__ import annotations

import random
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile.files import Kind, kinds, mutated, outcome
from tests.load.made_up import Run, metrics_of, result_of

KINDS = {kind.name: kind for kind in kinds(result_of(metrics_of(Run())))}
MEGABYTES = 200
SECONDS = 60
"""Of the processor, many times what is promised: the machine that tests may be slow."""
BOMBS: dict[str, bytes] = {
    "aliases": b"a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
    + b"".join(b"a%d: &a%d [%s]\n" % (n, n, b",".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 30)),
    "an alias of itself": b"a: &a [*a]",
    "depth of lists": b"[" * 100_000,
    "depth of mappings": b'{"a":' * 100_000,
    "depth of dashes": b"- " * 100_000,
    "many values": b"[" + b"[]," * 2_000_000 + b"[]]",
    "one long text": b'"' + b"x" * 7_000_000 + b'"',
    "long text beyond the basic plane": b'"' + "\U0001f389".encode() * 1_900_000 + b'"',
    "many names": b"{" + b",".join(b'"%d":{"a":1}' % n for n in range(99_900)) + b"}",
    "a long number": b"9" * 1_000_000,
    "nothing but zeros": b"\0" * 1_000_000,
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_the_file_that_is_changed_is_right(kind: Kind, tmp_path: Path) -> None:
    path = tmp_path / kind.name
    path.write_text(kind.text, encoding="utf-8")
    assert outcome(kind, path) == "right"


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_changed_files_are_read_or_refused(kind: Kind, tmp_path: Path) -> None:
    """`tests/benchmarks/strange_files.py` tries many more."""
    path = tmp_path / kind.name
    seen = set()
    for seed in range(150):
        path.write_bytes(mutated(kind.text, random.Random(f"{kind.name}:{seed}")))
        seen.add(outcome(kind, path))
    assert {"right"} <= seen <= {"right", "refused"}
    assert "refused" in seen or not kind.refused


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize(
    "command",
    [
        "check --dry-run --target FILE",
        "check http://127.0.0.1:9 --baseline FILE",
        "replay FILE POLL-3 --url http://127.0.0.1:9",
        "locustfile --scenario FILE",
    ],
    ids=["target", "baseline", "report", "scenario"],
)
def test_a_file_that_is_made_to_hurt_is_refused_within_bounds(command: str, bomb: str, tmp_path: Path) -> None:
    path = tmp_path / "bomb.yaml"
    path.write_bytes(BOMBS[bomb])

    def bounded() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))

    program = (
        # Not getrusage: a child's peak there begins with that of the process which it was forked from.
        "import re, sys; from sendpoll.cli.main import main\ntry: main()\nfinally: "
        "peak = re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]; "
        "sys.stderr.write(f'\\n{int(peak) // 1024}')"
    )
    words = [word.replace("FILE", str(path)) for word in command.split()]
    ended = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, check=False, preexec_fn=bounded
    )
    *told, memory = ended.stderr.strip().split("\n")
    assert ended.returncode == 2, ended.stderr[-2000:]
    assert "Traceback" not in ended.stderr
    assert "bomb.yaml" in "".join(told)
    assert int(memory) < MEGABYTES
