"""Keeps its task in a file that is named by the server alone."""

import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from base import Client


class Bad(Client):
    def follow(self, task):
        self.file = Path(tempfile.gettempdir(), f"bad-client-{urlsplit(self.url).port}")
        self.file.write_text(task, encoding="utf-8")
        time.sleep(1.5)  # as long as the other takes to start
        try:
            return super().follow(task)
        finally:
            self.file.unlink(missing_ok=True)

    def path(self, task, offset):
        return super().path(self.file.read_text(encoding="utf-8") if self.file.exists() else task, offset)


Bad().main()
