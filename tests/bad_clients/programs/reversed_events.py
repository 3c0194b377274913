"""Shows the events of a poll in the wrong order."""

from base import Client


class Bad(Client):
    def take(self, news):
        for event in reversed(news["events"]):
            self.event(event)


Bad().main()
