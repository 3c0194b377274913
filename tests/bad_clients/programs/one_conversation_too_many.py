"""Opens a conversation though it is given one."""

from base import Client


class Bad(Client):
    def ensure(self):
        super().ensure()
        if self.conversation:
            self.open()


Bad().main()
