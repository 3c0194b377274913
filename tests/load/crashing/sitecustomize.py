"""Makes a part of ours raise, in every Python process that finds this folder first: named by SENDPOLL_TEST_CRASH.

Python imports a module of this name at its start. The part is broken when it is imported, which may be much later.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

PARTS = {
    "user": ("sendpoll.load.users.pacing", "pacing_of"),
    "conversation": ("sendpoll.load.users.canaries", "Markers.issue"),
    "validator": ("sendpoll.load.users.validation", "ResponseJudge.poll"),
    "beside": ("sendpoll.load.users.concurrent_activity", "SecondReader.read"),
    "controller": ("sendpoll.load.shapes", "ShapeController.decide"),
    "planner": ("sendpoll.load.plan.controller", "PlanController.decide"),
    "report": ("sendpoll.load.users.generator", "Generator.report"),
}


def explode(*_: object, **__: object) -> None:
    raise LookupError(f"a fault of ours, which knows {os.environ.get('SENDPOLL_TOKEN')}")


class Breaker(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads one module as it is, and breaks a part of it."""

    def __init__(self, module: str, part: str) -> None:
        self._module = module
        self._part = part

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        if fullname != self._module:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        assert spec is not None
        assert spec.loader is not None
        self._loader, spec.loader = spec.loader, self
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        del spec
        return None

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        *owners, name = self._part.split(".")
        holder: object = module
        for owner in owners:
            holder = getattr(holder, owner)
        setattr(holder, name, explode)


if crash := os.environ.get("SENDPOLL_TEST_CRASH"):
    sys.meta_path.insert(0, Breaker(*PARTS[crash]))
