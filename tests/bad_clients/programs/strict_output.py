"""Writes its output strictly as UTF-8."""

import sys

from base import Client


class Bad(Client):
    def __init__(self):
        super().__init__()
        sys.stdout.reconfigure(errors="strict")


Bad().main()
