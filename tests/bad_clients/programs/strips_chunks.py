"""Strips the white space of each chunk."""

from base import Client


class Bad(Client):
    def show(self, text):
        super().show(text.strip())


Bad().main()
