"""Drops what is beyond the BMP, as a database with utf8 of three bytes does."""

from base import Client


class Bad(Client):
    def show(self, text):
        super().show("".join(character for character in text if ord(character) < 0x10000))


Bad().main()
