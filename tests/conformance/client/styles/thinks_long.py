"""Thinks four seconds between two polls."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "bad_clients" / "programs"))

from base import Client


class Other(Client):
    pause = 4


Other().main()
