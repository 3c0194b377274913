"""Takes a broken connection for the end; of a body that breaks off it asks the rest."""

from base import Client, Refused


class Bad(Client):
    def exchange(self, method, path, body):
        try:
            return super().exchange(method, path, body)
        except ConnectionError as problem:
            raise Refused(f"the poll of the task failed: {problem}") from problem


Bad().main()
