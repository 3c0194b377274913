"""Takes the URL apart at its colons."""

from base import Client


class Bad(Client):
    def exchange(self, method, path, body):
        _, host, port = self.url.split(":")
        self.url = f"http:{host}:{int(port)}"
        return super().exchange(method, path, body)


Bad().main()
