"""Shows all that it has so far at each poll."""

from base import Client


class Bad(Client):
    so_far = ""

    def take(self, news):
        super().take(news)
        if news["events"]:
            print(self.so_far, flush=True)

    def show(self, text):
        self.so_far += text


Bad().main()
