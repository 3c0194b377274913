"""Writes the events that it does not know to a file, strictly as UTF-8."""

import os

from base import Client


class Bad(Client):
    def event(self, event):
        super().event(event)
        if event.get("type") != "text_chunk":
            with open(os.devnull, "w", encoding="utf-8") as log:
                log.write(str(event.get("data")))


Bad().main()
