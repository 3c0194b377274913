"""Skips error events."""

from base import Client


class Bad(Client):
    def event(self, event):
        if event.get("type") != "error":
            super().event(event)


Bad().main()
