"""Sends the token in the query too."""

from base import Client


class Bad(Client):
    def path(self, task, offset):
        return f"{super().path(task, offset)}&token={self.token}"


Bad().main()
