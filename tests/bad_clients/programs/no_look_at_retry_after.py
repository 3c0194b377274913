"""Asks again at its own pace, whatever Retry-After says."""

from base import Client


class Bad(Client):
    def retry_after(self, value):
        return 0


Bad().main()
