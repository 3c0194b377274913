"""Tells of a failure by its exit code alone."""

import sys

from base import Client


class Bad(Client):
    def event(self, event):
        if event.get("type") == "text_chunk":
            super().event(event)

    def follow(self, task):
        if super().follow(task) == "failed":
            sys.exit(1)


Bad().main()
