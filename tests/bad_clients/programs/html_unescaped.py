"""Takes the answer for HTML."""

import html

from base import Client


class Bad(Client):
    def show(self, text):
        super().show(html.unescape(text))


Bad().main()
