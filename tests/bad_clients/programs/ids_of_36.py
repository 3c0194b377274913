"""Cuts ids to the length of a UUID."""

from base import Client


class Bad(Client):
    def path(self, task, offset):
        return super().path(task[:36], offset)


Bad().main()
