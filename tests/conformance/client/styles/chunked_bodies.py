"""Sends its bodies in chunks, in escapes, and asks with more in its queries."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "bad_clients" / "programs"))

from base import Client


class Other(Client):
    def exchange(self, method, path, body):
        return super().exchange(method, path, iter([body[:9], body[9:]]) if body else body)

    def path(self, task, offset):
        return super().path(task, offset) + "&_=7"


Other().main()
