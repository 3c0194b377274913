"""Asks from one behind next_offset."""

from base import Client


class Bad(Client):
    def next_offset(self, news, offset):
        return news["next_offset"] + 1


Bad().main()
