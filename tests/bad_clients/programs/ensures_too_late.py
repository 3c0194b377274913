"""Opens the conversation before the workspace is ensured."""

from base import Client


class Bad(Client):
    def run(self):
        self.conversation = self.conversation or self.open()
        super().run()


Bad().main()
