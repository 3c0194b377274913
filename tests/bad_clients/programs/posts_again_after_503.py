"""Sends a message again after 503."""

import time

from base import Client


class Bad(Client):
    def post(self, step, path, document=None):
        status, _, raw = self.exchange("POST", path, self.encoded(document))
        if status == 503:
            time.sleep(0.5)
            return super().post(step, path, document)
        return self.checked(step, status, raw)


Bad().main()
