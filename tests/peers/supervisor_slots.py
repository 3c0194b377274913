"""supervisord behind an adapter: a task is a process in one of three slots, its log is read by byte offsets.

The state of the process is the status, RUNNING as `running` and EXITED as it is; what it has printed is the log, of
which whole lines are events.
"""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
import xmlrpc.client
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.peers import stdlib_threads
from tests.peers.nginx_limited import free_port

SLOTS = 3
AGENT = """
import json, pathlib, sys, time
text = json.loads(pathlib.Path(sys.argv[1]).read_text())
size = max(1, len(text) // 110)
for at in range(0, len(text), size):
    time.sleep(min(0.03, 1.2 * size / len(text)))
    print(json.dumps({"type": "text_chunk", "data": {"content": text[at : at + size]}}), flush=True)
print(json.dumps({"type": "exit"}), flush=True)
"""
CONFIGURATION = """
[supervisord]
nodaemon=true
logfile=/dev/null
logfile_maxbytes=0
pidfile={folder}/pid
[inet_http_server]
port=127.0.0.1:{port}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
"""
PROGRAM = """
[program:slot{number}]
command={python} {folder}/agent.py {folder}/slot{number}.json
autostart=false
autorestart=false
startsecs=0
startretries=0
stdout_logfile={folder}/slot{number}.log
stdout_logfile_maxbytes=0
redirect_stderr=true
"""


@dataclass
class Task(stdlib_threads.Task):
    slot: str = ""
    base: int = 0
    """How much its slot had printed for the tasks before it."""
    log: str = ""
    """What a process that is over has printed; its slot is another one's then."""


class Slots(stdlib_threads.Store):
    def __init__(self, tokens: list[str], folder: Path, port: int) -> None:
        super().__init__(tokens)
        self.folder, self.port = folder, port
        self.free: queue.Queue[str] = queue.Queue()
        for number in range(SLOTS):
            self.free.put(f"slot{number}")

    @property
    def supervisor(self) -> Any:
        """A client of its own for each use: they are not safe for several threads."""
        return xmlrpc.client.ServerProxy(f"http://127.0.0.1:{self.port}/RPC2").supervisor

    def new_task(self, owner: str) -> Task:
        return Task(owner)

    def work(self, task: Any, conversation: stdlib_threads.Conversation, message: str) -> None:
        with conversation.turn:
            slot = self.free.get()
            Path(self.folder, f"{slot}.json").write_text(json.dumps(message), encoding="utf-8")
            base = len(self.printed(slot, 0))
            self.supervisor.startProcess(slot, False)
            with self.lock:
                task.base, task.slot = base, slot
            while self.supervisor.getProcessInfo(slot)["statename"] in {"STARTING", "RUNNING", "STOPPING"}:
                time.sleep(0.02)
            log = self.printed(slot, base)
            with self.lock:
                task.log, task.slot, task.status = log, "", "EXITED"
            self.free.put(slot)

    def printed(self, slot: str, base: int) -> str:
        try:
            return str(self.supervisor.readProcessStdoutLog(slot, base, 0))
        except xmlrpc.client.Fault:  # a slot that has never run has no log
            return ""


class Handler(stdlib_threads.Handler):
    store: Slots

    def poll(self) -> tuple[int, Any]:
        match self.segments():
            case ["api", "v1", "tasks", name]:
                owner = self.owner()
            case _:
                return self.no_such_method()
        asked = parse_qs(urlsplit(self.path).query, keep_blank_values=True).get("from", ["0"])
        if len(asked) != 1 or not (asked[0].isascii() and asked[0].isdigit() and len(asked[0]) < 10):
            raise stdlib_threads.RefusedError(400, "from is an offset")
        at = int(asked[0])
        with self.store.lock:
            task = self.store.tasks.get(name)
            if task is None or task.owner != owner:
                raise stdlib_threads.RefusedError(404, "no such task")
            status, whole = task.status, self.printed(task)
        whole = whole[: whole.rfind("\n") + 1]
        if at > len(whole) or (at and whole[at - 1] != "\n"):
            raise stdlib_threads.RefusedError(416, "from is the end of no line")
        events = [json.loads(line) for line in whole[at:].splitlines()]
        return 200, {"data": {"status": status, "events": events, "next_offset": len(whole)}}

    def printed(self, task: Any) -> str:
        if not task.slot:
            return str(task.log)
        return self.store.printed(task.slot, task.base)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        Path(folder, "agent.py").write_text(AGENT, encoding="utf-8")
        programs = (PROGRAM.format(number=number, python=sys.executable, folder=folder) for number in range(SLOTS))
        settings = CONFIGURATION.format(folder=folder, port=port) + "".join(programs)
        Path(folder, "supervisord.conf").write_text(settings, encoding="utf-8")
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", f"{folder}/supervisord.conf"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as supervisord:

            def stop(*_: object) -> None:
                supervisord.terminate()

            signal.signal(signal.SIGTERM, stop)
            store = Slots(sys.argv[2:], folder, port)
            wait_for(store)
            Handler.store = store
            server = stdlib_threads.Server(("127.0.0.1", int(sys.argv[1])), Handler)
            print("ready", server.server_address[1], flush=True)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            supervisord.wait()


def wait_for(store: Slots) -> None:
    while True:
        try:
            store.supervisor.getState()
        except OSError:
            time.sleep(0.05)
        else:
            return


if __name__ == "__main__":
    main()
