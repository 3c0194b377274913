"""Runs one mutant by hand: `python -m tests.mutants NAME --port 8092`; without a name it lists them."""

from __future__ import annotations

import argparse
import contextlib
import shlex
import signal

from tests.mutants.catalogue import BY_NAME, MUTANTS
from tests.mutants.restarting import restart_command
from tests.mutants.serve import running


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("name", nargs="?", choices=sorted(BY_NAME), metavar="NAME")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    if options.name is None:
        for mutant in MUTANTS:
            print(f"{mutant.name:48} {mutant.requirement:9} {mutant.fault}")
        return
    mutant = BY_NAME[options.name]
    with running(mutant, options.port) as (url, token, second_token):
        print(f"{url} ({mutant.requirement}: {mutant.fault})")
        print(f"sendpoll check {url} --token {token} --second-token {second_token}", flush=True)
        if mutant.restarts:
            print(f"  --restart {shlex.quote(restart_command(url))}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
