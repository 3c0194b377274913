"""Shows the answer as it comes, and once more at the end."""

from base import Client


class Bad(Client):
    so_far = ""

    def show(self, text):
        super().show(text)
        self.so_far += text

    def is_over(self, news):
        over = super().is_over(news)
        if over:
            print(f"\n{self.so_far}")
        return over


Bad().main()
