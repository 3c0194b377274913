"""Joins the lines of a message."""

from base import Client


class Bad(Client):
    def send(self, conversation):
        self.message = " ".join(self.message.split())
        return super().send(conversation)


Bad().main()
