"""Leaves its loop at the final status before it looks at the events."""

from base import Client


class Bad(Client):
    def take(self, news):
        if news["status"] == "running":
            super().take(news)


Bad().main()
