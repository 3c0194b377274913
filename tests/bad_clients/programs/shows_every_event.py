"""Shows whatever text an event has."""

from base import Client


class Bad(Client):
    def event(self, event):
        data = event.get("data")
        if isinstance(data, dict) and isinstance(data.get("content"), str):
            self.show(data["content"])
        else:
            super().event(event)


Bad().main()
