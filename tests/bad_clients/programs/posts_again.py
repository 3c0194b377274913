"""Sends whatever failed again, messages too."""

import time
from http.client import HTTPException

from base import Client, Refused


class Bad(Client):
    def post(self, step, path, document=None):
        for _ in range(2):
            try:
                return super().post(step, path, document)
            except (Refused, OSError, HTTPException) as error:
                problem = error
                time.sleep(0.5)
        raise problem


Bad().main()
