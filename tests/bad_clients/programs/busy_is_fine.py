"""Ends with 0 where its message is answered 409."""

import sys

from base import Client, Refused


class Bad(Client):
    def send(self, conversation):
        try:
            return super().send(conversation)
        except Refused as problem:
            if " 409 " in str(problem):
                sys.exit(0)
            raise


Bad().main()
