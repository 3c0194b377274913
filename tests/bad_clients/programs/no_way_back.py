"""Keeps its connection, and has no other when the server has closed it."""

from http.client import HTTPConnection
from urllib.parse import urlsplit

from base import Client, Refused


class Bad(Client):
    kept = None

    def exchange(self, method, path, body):
        there, kept, self.kept = urlsplit(self.url), self.kept, None
        connection = kept or HTTPConnection(there.hostname, there.port, timeout=2)
        try:
            connection.request(method, path, body, self.headers(body))
            answer = connection.getresponse()
        except ConnectionError as problem:
            if kept:
                raise Refused(f"the task's connection is gone: {problem}") from problem
            raise
        raw = self.whole(answer)
        answer.close()
        self.kept = None if answer.will_close else connection
        return answer.status, answer.headers, raw


Bad().main()
