"""Tries a poll once more, at once, and then gives up with words."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "bad_clients" / "programs"))

from base import Client


class Other(Client):
    tries = 2

    def retry_after(self, value):
        return 0


Other().main()
