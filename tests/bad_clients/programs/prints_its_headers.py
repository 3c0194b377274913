"""Prints the headers of each request to standard error."""

import sys

from base import Client


class Bad(Client):
    def headers(self, body):
        told = super().headers(body)
        print(told, file=sys.stderr)
        return told


Bad().main()
