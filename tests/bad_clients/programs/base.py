"""A right client in steps, of which each bad one beside this file gets one wrong. Standard library only."""

import http.client
import json
import os
import sys
import time
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

PATIENCE = 2.0  # seconds of silence, and of a whole answer
PASSING = (429, 502, 503, 504)


class Refused(Exception):
    pass


class Client:
    pause = 0.5
    tries = 5

    def __init__(self):
        self.url = os.environ["SENDPOLL_URL"]
        self.token = os.environ["SENDPOLL_TOKEN"]
        self.workspace = os.environ["SENDPOLL_WORKSPACE"]
        self.message = os.environ["SENDPOLL_MESSAGE"]
        self.conversation = os.environ.get("SENDPOLL_CONVERSATION")
        sys.stdout.reconfigure(errors="replace")

    # ---- HTTP ----

    def headers(self, body):
        told = {"Authorization": f"Bearer {self.token}", "Accept-Encoding": "identity"}
        return {**told, "Content-Type": "application/json"} if body is not None else told

    def exchange(self, method, path, body):
        """Status, headers and bytes of one whole answer."""
        there = urlsplit(self.url)
        connection = http.client.HTTPConnection(there.hostname, there.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, self.headers(body))
            answer = connection.getresponse()
            return answer.status, answer.headers, self.whole(answer)
        finally:
            connection.close()

    def whole(self, answer):
        until, parts = time.monotonic() + PATIENCE, []
        while part := answer.read1(65536):
            parts.append(part)
            if time.monotonic() > until:
                raise TimeoutError("no end of the answer")
        if answer.length:  # read1 does not tell that something is missing
            raise http.client.IncompleteRead(b"".join(parts), answer.length)
        return b"".join(parts)

    def text(self, raw):
        return raw.decode("utf-8")

    def parsed(self, raw):
        return json.loads(self.text(raw))

    # ---- the steps ----

    def checked(self, step, status, raw):
        if not 200 <= status < 300:
            raise Refused(f"{step} was refused: {status} {self.text(raw)[:200]}")
        return self.parsed(raw)

    def encoded(self, document):
        return None if document is None else json.dumps(document).encode()

    def post(self, step, path, document=None):
        status, _, raw = self.exchange("POST", path, self.encoded(document))
        return self.checked(step, status, raw)

    def ensure(self):
        self.post("the workspace", "/api/v1/workspaces", {"workspace_id": self.workspace})

    def open(self):
        return self.post("the conversation", f"/api/v1/workspaces/{self.workspace}/conversations")["conversation_id"]

    def send(self, conversation):
        document = {"conversation_id": conversation, "message": self.message, "run_mode": "fast"}
        return self.post("the message", f"/api/v1/workspaces/{self.workspace}/messages", document)["task_id"]

    # ---- polls ----

    def path(self, task, offset):
        return f"/api/v1/tasks/{task}?from={offset}"

    def poll(self, task, offset):
        for attempt in range(self.tries):
            wait = 0.5 * 2**attempt
            try:
                status, headers, raw = self.exchange("GET", self.path(task, offset), None)
                if status not in PASSING:
                    return self.checked("the poll of the task", status, raw)["data"]
                problem = f"status {status}"
                wait = max(wait, self.retry_after(headers.get("Retry-After", "0")))
            except (OSError, http.client.HTTPException) as error:
                problem = repr(error)
                if isinstance(error, TimeoutError) and attempt:
                    break
            print("trying again:", problem, file=sys.stderr)
            time.sleep(wait)
        raise Refused(f"the poll of the task failed: {problem}")

    def retry_after(self, value):
        return float(value) if value.isdigit() else parsedate_to_datetime(value).timestamp() - time.time()

    def first_offset(self):
        return 0

    def next_offset(self, news, offset):
        return news["next_offset"]

    def is_over(self, news):
        return news["status"] != "running"

    def follow(self, task):
        offset = self.first_offset()
        while True:
            news = self.poll(task, offset)
            offset = self.next_offset(news, offset)
            self.take(news)
            if self.is_over(news):
                return news["status"]
            time.sleep(self.pause)

    # ---- what the user sees ----

    def take(self, news):
        for event in news["events"]:
            self.event(event)

    def event(self, event):
        if event.get("type") == "text_chunk":
            self.show(event["data"]["content"])
        elif event.get("type") == "error":
            print("error:", event["data"]["message"], file=sys.stderr)

    def show(self, text):
        print(text, end="", flush=True)

    def run(self):
        self.ensure()
        status = self.follow(self.send(self.conversation or self.open()))
        print()
        if status == "failed":
            raise Refused("the task failed")

    def main(self):
        try:
            self.run()
        except (Refused, OSError, http.client.HTTPException) as problem:
            sys.exit(f"error: {problem!r}")


if __name__ == "__main__":
    Client().main()
