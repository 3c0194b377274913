"""Ends with 0 after a task that failed."""

from base import Client


class Bad(Client):
    def follow(self, task):
        status = super().follow(task)
        print("\nstatus:", status)
        return "completed"


Bad().main()
