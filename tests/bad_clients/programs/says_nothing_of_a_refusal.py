"""Says that something went wrong."""

import sys

from base import Client


class Bad(Client):
    def main(self):
        try:
            self.run()
        except Exception:
            sys.exit("Sorry, something went wrong. It failed.")


Bad().main()
