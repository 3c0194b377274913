"""Sends a message again when no answer comes in time."""

from base import Client


class Bad(Client):
    def post(self, step, path, document=None):
        try:
            return super().post(step, path, document)
        except TimeoutError:
            return super().post(step, path, document)


Bad().main()
