"""Takes the text out of the JSON by a pattern, and does not undo its escapes."""

import re

from base import Client


class Bad(Client):
    def parsed(self, raw):
        found = super().parsed(raw)
        texts = iter(re.findall(r'"content": "((?:[^"\\]|\\.)*)"', self.text(raw)))
        for event in found.get("data", {}).get("events", []):
            if event["type"] == "text_chunk":
                event["data"]["content"] = next(texts, "")
        return found


Bad().main()
