"""Writes offsets with fifteen digits."""

from base import Client


class Bad(Client):
    def next_offset(self, news, offset):
        return f"{news['next_offset']:.15g}"


Bad().main()
