"""The stub, counting: `GET /requests` says how many requests it has answered. The same one serves every generator."""

from __future__ import annotations

import argparse

from sendpoll.load import stub

_COUNT = b"GET /requests "
answered = 0


class CountingProtocol(stub.StubProtocol):
    """Counts what it answers, but for the questions about the count."""

    def reply(self, request: bytes) -> tuple[int, bytes]:
        """Status code and body for one request."""
        global answered  # noqa: PLW0603 - one number for all connections of the process
        if request.startswith(_COUNT):
            return 200, b"%d" % answered
        answered += 1
        return super().reply(request)


def main() -> None:
    """Serve; the first line on stdout is the base URL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=8)
    parser.add_argument("--first", type=float, default=0.5)
    parser.add_argument("--interval", type=float, default=0.5)
    options = parser.parse_args()
    stub.StubProtocol = CountingProtocol  # type: ignore[misc]  # the factory looks it up by this name
    stub.run_stub(stub.Script(chunks=options.chunks, first=options.first, interval=options.interval))


if __name__ == "__main__":
    main()
