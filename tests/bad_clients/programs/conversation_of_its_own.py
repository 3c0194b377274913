"""Opens a conversation, whichever it is given."""

from base import Client


class Bad(Client):
    def __init__(self):
        super().__init__()
        self.conversation = None


Bad().main()
