"""Polls without a pause."""

from base import Client


class Bad(Client):
    pause = 0


Bad().main()
