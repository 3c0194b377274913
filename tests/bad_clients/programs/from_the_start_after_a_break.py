"""Begins anew from 0 when a poll was lost."""

from http.client import HTTPException

from base import Client


class Bad(Client):
    lost = False

    def exchange(self, method, path, body):
        if self.lost:
            self.lost, path = False, path.partition("=")[0] + "=0"
        try:
            return super().exchange(method, path, body)
        except (OSError, HTTPException):
            self.lost = True
            raise


Bad().main()
