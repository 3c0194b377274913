"""Knows no other end of a body than Content-Length."""

from base import Client


class Bad(Client):
    def whole(self, answer):
        return answer.fp.read(int(answer.headers.get("Content-Length", 0)))


Bad().main()
