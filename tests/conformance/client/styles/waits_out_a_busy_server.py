"""Waits where a task runs already, and sends its message then."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "bad_clients" / "programs"))

from base import Client


class Other(Client):
    def post(self, step, path, document=None):
        while True:
            status, _, raw = self.exchange("POST", path, self.encoded(document))
            if status != 409:
                return self.checked(step, status, raw)
            print("busy; waiting", file=sys.stderr)
            time.sleep(1)


Other().main()
