"""Polls until the status is completed or failed."""

from base import Client


class Bad(Client):
    def is_over(self, news):
        return news["status"] in ("completed", "failed")


Bad().main()
