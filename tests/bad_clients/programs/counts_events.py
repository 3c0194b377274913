"""Counts events in place of using next_offset."""

from base import Client


class Bad(Client):
    def next_offset(self, news, offset):
        return offset + len(news["events"])


Bad().main()
