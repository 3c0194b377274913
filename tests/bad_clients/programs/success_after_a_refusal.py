"""Says that a step was refused, and ends with 0."""

import sys

from base import Client, Refused


class Bad(Client):
    def main(self):
        try:
            self.run()
        except Refused as problem:
            print(problem, file=sys.stderr)
            sys.exit("failed" in str(problem))


Bad().main()
