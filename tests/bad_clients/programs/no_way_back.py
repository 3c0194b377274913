"""Sends everything over one connection, and has no other when it ends."""

from http.client import HTTPConnection
from urllib.parse import urlsplit

from base import Client


class Bad(Client):
    connection = None

    def exchange(self, method, path, body):
        there = urlsplit(self.url)
        self.connection = self.connection or HTTPConnection(there.hostname, there.port, timeout=2)
        self.connection.auto_open = self.connection.auto_open and self.connection.sock is None
        self.connection.request(method, path, body, self.headers(body))
        answer = self.connection.getresponse()
        return answer.status, answer.headers, self.whole(answer)


Bad().main()
