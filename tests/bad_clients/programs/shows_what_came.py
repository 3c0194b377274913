"""Shows the chunks of a body that broke off, and then asks for it again."""

import re
from http.client import IncompleteRead

from base import Client


class Bad(Client):
    def whole(self, answer):
        try:
            return super().whole(answer)
        except IncompleteRead as cut:
            for text in re.findall(rb'"content": "([^"]*)"', cut.partial):
                self.show(text.decode())
            raise


Bad().main()
