"""Speaks HTTP/1.0, without keeping connections."""

import http.client
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "bad_clients" / "programs"))

from base import Client


class Other(Client):
    def exchange(self, method, path, body):
        http.client.HTTPConnection._http_vsn = 10
        http.client.HTTPConnection._http_vsn_str = "HTTP/1.0"
        return super().exchange(method, path, body)


Other().main()
