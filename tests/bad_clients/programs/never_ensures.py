"""Takes it that the workspace exists."""

from base import Client


class Bad(Client):
    def ensure(self):
        pass


Bad().main()
