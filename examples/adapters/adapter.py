"""An adapter for `sendpoll client --adapter`: a library of Python, here the client beside it, in one process.

Standard input brings a JSON line a run; what its user would see, what it says and its end go out as JSON lines.
"""

import contextlib
import io
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
TELL = sys.stdout


class Lines(io.TextIOBase):
    """Standard output or error of one run, as lines of the protocol."""

    def __init__(self, run: int, kind: str) -> None:
        self.run, self.kind = run, kind

    def write(self, text: str) -> int:
        TELL.write(json.dumps({"run": self.run, self.kind: text}) + "\n")
        TELL.flush()
        return len(text)

    def reconfigure(self, **_: object) -> None:
        """Texts are JSON here, which can hold them all."""


def answer(job: dict) -> int:
    """One run of the library; its exit code."""
    os.environ.update({f"SENDPOLL_{name.upper()}": str(value) for name, value in job.items() if value is not None})
    if job["conversation"] is None:
        os.environ.pop("SENDPOLL_CONVERSATION", None)
    sys.modules.pop("client", None)
    try:
        import client

        client.main()
    except Exception as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    return 0


for line in sys.stdin:
    job = json.loads(line)
    with (
        contextlib.redirect_stdout(Lines(job["run"], "shown")),
        contextlib.redirect_stderr(Lines(job["run"], "said")),
    ):
        code = answer(job)
    TELL.write(json.dumps({"run": job["run"], "ended": code}) + "\n")
    TELL.flush()
