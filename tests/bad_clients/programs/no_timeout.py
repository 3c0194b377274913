"""Waits for an answer for ever."""

import base
from base import Client


class Bad(Client):
    def exchange(self, method, path, body):
        base.PATIENCE = 1e6
        return super().exchange(method, path, body)


Bad().main()
