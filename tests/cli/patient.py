"""`sendpoll`, or `locust`, whose generator is late from 0.7 s on: a busy machine is late by less, and a fault by more.

`python -m tests.cli.patient sendpoll load ...`. What is asked of a generator elsewhere, 50 ms, no test can rely on
where other programs run beside it; and a test that forgives any lateness would forgive that of a broken probe.
"""

from __future__ import annotations

import sys

from sendpoll.load.measure import health

PATIENCE_S = 0.7
POLL_INTERVAL_S = 0.1
"""Of the users of the tests."""

if __name__ == "__main__":
    health.MAX_LAG_S = PATIENCE_S  # type: ignore[misc]  # final, but for the tests
    health.MAX_SLIP_SHARE = PATIENCE_S / POLL_INTERVAL_S  # type: ignore[misc]  # the same
    health.MAX_CPU = 10.0  # type: ignore[misc]  # the same
    program = sys.argv.pop(1)
    if program == "locust":
        from locust.main import main
    else:
        from sendpoll.cli.main import main
    main()
