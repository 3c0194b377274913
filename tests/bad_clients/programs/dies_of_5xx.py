"""Takes 502, 503 and 504 for the end."""

from base import Client


class Bad(Client):
    def exchange(self, method, path, body):
        status, headers, raw = super().exchange(method, path, body)
        return (min(status, 500)), headers, raw


Bad().main()
