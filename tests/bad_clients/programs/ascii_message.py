"""Sends of a message what is ASCII."""

from base import Client


class Bad(Client):
    def send(self, conversation):
        self.message = self.message.encode("ascii", "ignore").decode()
        return super().send(conversation)


Bad().main()
