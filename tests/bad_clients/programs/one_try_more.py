"""Tries a poll once more, and at once."""

from base import Client


class Bad(Client):
    tries = 2


Bad().main()
