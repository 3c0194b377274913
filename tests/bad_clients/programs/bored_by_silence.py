"""Gives up on a task that brings nothing for four seconds."""

import time

from base import Client, Refused


class Bad(Client):
    last = time.monotonic()

    def take(self, news):
        super().take(news)
        self.last = time.monotonic() if news["events"] else self.last
        if time.monotonic() - self.last > 4:
            raise Refused("nothing comes")


Bad().main()
