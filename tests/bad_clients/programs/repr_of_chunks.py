"""Shows texts as the programming language writes them."""

from base import Client


class Bad(Client):
    def show(self, text):
        print(repr(text), end="", flush=True)


Bad().main()
