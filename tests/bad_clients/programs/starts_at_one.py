"""Begins at offset 1."""

from base import Client


class Bad(Client):
    def first_offset(self):
        return 1


Bad().main()
