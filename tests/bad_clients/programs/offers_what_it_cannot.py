"""Offers gzip, and does not undo it."""

from base import Client


class Bad(Client):
    def headers(self, body):
        return {**super().headers(body), "Accept-Encoding": "gzip"}


Bad().main()
