"""Follows a redirect with all of its headers, as urllib.request does."""

from urllib.parse import urlsplit

from base import Client


class Bad(Client):
    def exchange(self, method, path, body):
        status, headers, raw = super().exchange(method, path, body)
        if "Location" not in headers:
            return status, headers, raw
        there = urlsplit(headers["Location"])
        home, self.url = self.url, f"http://{there.netloc}"
        try:
            return self.exchange(method, f"{there.path}?{there.query}", body)
        finally:
            self.url = home


Bad().main()
