"""The stub, counting: `GET /requests` says how many requests it has answered, `GET /messages` how many messages."""

from __future__ import annotations

import argparse

from sendpoll.load.stub import stub

_REQUESTS = b"GET /requests "
_MESSAGES = b"GET /messages "
counts = {_REQUESTS: 0, _MESSAGES: 0}


class CountingProtocol(stub.StubProtocol):
    """Counts what it answers, but for the questions about the count."""

    def reply(self, request: bytes) -> tuple[int, bytes]:
        """Status code and body for one request."""
        for question, count in counts.items():
            if request.startswith(question):
                return 200, b"%d" % count
        status, body = super().reply(request)
        counts[_REQUESTS] += 1
        counts[_MESSAGES] += b"task_id" in body
        return status, body


def main() -> None:
    """Serve; the first line on stdout is the base URL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--chunks", type=int, default=8)
    parser.add_argument("--first", type=float, default=0.5)
    parser.add_argument("--interval", type=float, default=0.5)
    options = parser.parse_args()
    script = stub.Script(chunks=options.chunks, first=options.first, interval=options.interval)
    stub.run_stub(script, options.host, protocol=CountingProtocol)


if __name__ == "__main__":
    main()
