"""Takes every event for one with a text."""

from base import Client


class Bad(Client):
    def event(self, event):
        self.show(
            event["data"]["content"]
            if event.get("type") in ("text_chunk", "error")
            else event["data"].get("content", "")
        )


Bad().main()
