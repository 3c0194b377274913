"""Writes a label before the answer, and the status behind it, in colours."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "bad_clients" / "programs"))

from base import Client


class Other(Client):
    begun = False

    def show(self, text):
        if not self.begun:
            print("\x1b[1massistant:\x1b[0m ", end="")
        self.begun = True
        super().show(text)

    def follow(self, task):
        status = super().follow(task)
        print(f"\n\x1b[2m[{status}]\x1b[0m")
        return status


Other().main()
