"""Polls five times a second."""

from base import Client


class Bad(Client):
    pause = 0.2


Bad().main()
