"""Takes 429 for the end."""

from base import Client


class Bad(Client):
    def exchange(self, method, path, body):
        status, headers, raw = super().exchange(method, path, body)
        return (400 if status == 429 else status), headers, raw


Bad().main()
