"""Decodes what comes piece by piece, wherever a character is cut."""

from http.client import IncompleteRead

from base import Client


class Bad(Client):
    def whole(self, answer):
        pieces = []
        while piece := answer.read1(65536):
            pieces.append(piece.decode("utf-8", "replace"))
        if answer.length:
            raise IncompleteRead(b"", answer.length)
        return "".join(pieces).encode()


Bad().main()
