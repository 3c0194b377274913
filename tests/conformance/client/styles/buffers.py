"""Shows everything at the end, and tells of its progress on standard error."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "bad_clients" / "programs"))

from base import Client


class Other(Client):
    so_far = ""

    def show(self, text):
        self.so_far += text
        print("...", len(self.so_far), file=sys.stderr)

    def follow(self, task):
        status = super().follow(task)
        print(self.so_far)
        return status


Other().main()
