"""Drops what is not ASCII."""

from base import Client


class Bad(Client):
    def show(self, text):
        super().show(text.encode("ascii", "ignore").decode())


Bad().main()
