"""Reads bodies as Latin-1."""

from base import Client


class Bad(Client):
    def text(self, raw):
        return raw.decode("latin-1")


Bad().main()
