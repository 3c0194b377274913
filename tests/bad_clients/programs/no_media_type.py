"""Sends JSON as a form."""

from base import Client


class Bad(Client):
    def headers(self, body):
        return {**super().headers(body), "Content-Type": "application/x-www-form-urlencoded"}


Bad().main()
