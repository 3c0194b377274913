"""nginx in front, with its own limit of requests: 503 without Retry-After, and pages of HTML for what it refuses."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/pid;
error_log /dev/null;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    limit_req_zone $binary_remote_addr zone=api:1m rate=20r/s;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            limit_req zone=api burst=20 nodelay;
            proxy_pass http://127.0.0.1:{upstream};
        }}
    }}
}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main() -> None:
    command = [sys.executable, "-m", "tests.peers.stdlib_threads", "0", *sys.argv[2:]]
    with tempfile.TemporaryDirectory() as folder, subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as api:
        upstream = api.stdout.readline().split()[1] if api.stdout else ""
        port = int(sys.argv[1]) or free_port()
        settings = Path(folder, "nginx.conf")
        settings.write_text(CONFIGURATION.format(folder=folder, port=port, upstream=upstream), encoding="utf-8")
        with subprocess.Popen(["nginx", "-e", "/dev/null", "-c", str(settings)]) as front:

            def stop(*_: object) -> None:
                front.terminate()
                api.terminate()

            signal.signal(signal.SIGTERM, stop)
            while front.poll() is None:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    continue
            print("ready", port, flush=True)
            front.wait()
            api.terminate()


if __name__ == "__main__":
    main()
