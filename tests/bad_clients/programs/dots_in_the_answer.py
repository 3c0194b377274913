"""Writes a dot for each poll, in the midst of the answer."""

from base import Client


class Bad(Client):
    def take(self, news):
        super().take(news)
        print(".", end="", flush=True)


Bad().main()
