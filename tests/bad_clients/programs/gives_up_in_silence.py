"""Ends with 1 and says nothing."""

import os
import sys

from base import Client


class Bad(Client):
    def main(self):
        try:
            self.run()
        except Exception:
            sys.exit(1)

    def poll(self, task, offset):
        sys.stderr = open(os.devnull, "w")
        return super().poll(task, offset)


Bad().main()
