"""Writes ids in small letters."""

from base import Client


class Bad(Client):
    def path(self, task, offset):
        return super().path(task.lower(), offset)


Bad().main()
