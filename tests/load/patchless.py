"""Imports of modules that bring Locust, without its patching of the whole process."""

from __future__ import annotations

import importlib
import os
from types import ModuleType


def imported(name: str) -> ModuleType:
    """The module of that name under `sendpoll.load`."""
    os.environ["LOCUST_SKIP_MONKEY_PATCH"] = "1"  # or importing Locust would patch all other tests too
    try:
        return importlib.import_module(f"sendpoll.load.{name}")
    finally:
        del os.environ["LOCUST_SKIP_MONKEY_PATCH"]
