"""Shows a body that is no JSON as if it were the answer."""

from base import Client, Refused


class Bad(Client):
    def checked(self, step, status, raw):
        if 200 <= status < 300:
            return super().checked(step, status, raw)
        self.show(self.text(raw))
        raise Refused(f"{step} was refused: {status}")

    def exchange(self, method, path, body):
        status, headers, raw = super().exchange(method, path, body)
        if status in (502, 503, 504):
            self.show(self.text(raw))
        return status, headers, raw


Bad().main()
