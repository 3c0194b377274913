"""Takes a poll without events for the end."""

from base import Client


class Bad(Client):
    def is_over(self, news):
        return super().is_over(news) or not news["events"]


Bad().main()
