"""The shape of the code: who may import whom, and how large a module, a function and a parameter list may be."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("schemas", "core", "conformance", "load", "proxy", "reference_server", "cli")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "schemas": (),
    "core": ("sendpoll.schemas",),
    "conformance": ("sendpoll.core", "sendpoll.schemas"),
    "load": ("sendpoll.core", "sendpoll.schemas"),
    "proxy": ("sendpoll.conformance", "sendpoll.core", "sendpoll.schemas"),
    "reference_server": ("sendpoll.schemas",),
    "cli": ("sendpoll",),
}
"""Whom of ours each package may import beside itself. Conformance and reference server know nothing of each other: two
readings of one contract are what makes a check worth something."""
PATCHES_THE_PROCESS = frozenset({"locust", "gevent"})
MODULE_LINES, FUNCTION_LINES, PARAMETERS = 400, 60, 6


@dataclass(frozen=True)
class Import:
    """An import statement, and whether it runs when the module is imported."""

    name: str
    line: int
    lazy: bool


def imports(path: Path) -> Iterator[Import]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    deferring = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    ]
    inside = {id(node) for outer in deferring for node in ast.walk(outer)}
    for node in ast.walk(tree):
        lazy = id(node) in inside
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno, lazy) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield Import(base, node.lineno, lazy)
            yield from (Import(f"{base}.{alias.name}", node.lineno, lazy) for alias in node.names)


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def identify(path: Path) -> str:
    return str(path.relative_to(ROOT))


def modules_of(package: str) -> list[Path]:
    return [path for path in MODULES if path.is_relative_to(ROOT / package)]


def types_of(path: Path) -> Iterator[str]:
    """The names of the classes and of the types that a module defines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    yield from (node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else ()
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        yield from (name for name in names if name[0].isupper() and not name.isupper())


def named_twice(named: Iterator[tuple[str, Path]]) -> dict[str, list[str]]:
    places: dict[str, list[str]] = {}
    for name, path in named:
        places.setdefault(name, []).append(identify(path))
    return {name: found for name, found in places.items() if len(found) > 1}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_type_has_a_name_of_its_own(package: str) -> None:
    """In its package, and beside the packages that all of its modules may take names from."""
    beside = [] if package == "cli" else [name.removeprefix("sendpoll.") for name in MAY_IMPORT[package]]
    paths = [path for one in (package, *beside) for path in modules_of(one)]
    assert named_twice((name, path) for path in paths for name in types_of(path)) == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_module_has_a_name_of_its_own(package: str) -> None:
    """One that its package has no other of, so that it is known by it wherever it is named alone."""
    assert named_twice((path.name, path) for path in modules_of(package) if path.name != "__init__.py") == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_whom_it_may(package: str) -> None:
    allowed = (f"sendpoll.{package}", *MAY_IMPORT[package])
    broken = []
    for path in MODULES:
        if path.is_relative_to(ROOT / package):
            ours = [found for found in imports(path) if within(found.name, ("sendpoll", "tests"))]
            lines = {found.line for found in ours if within(found.name, allowed)}
            broken += [f"{identify(path)}:{found.line} {found.name}" for found in ours if found.line not in lines]
    assert broken == []


@pytest.mark.parametrize("path", [*MODULES, *TESTS], ids=identify)
def test_imports_are_absolute_and_under_our_name(path: Path) -> None:
    """By its bare name a package would be another module, or somebody else's."""
    bare = tuple(PACKAGES)
    assert [f"{found.line}: {found.name}" for found in imports(path) if found.name.startswith(".")] == []
    assert [f"{found.line}: {found.name}" for found in imports(path) if within(found.name, bare)] == []


def test_only_the_load_package_imports_what_patches_the_process() -> None:
    outside = [path for path in MODULES if not path.is_relative_to(ROOT / "load")]
    found = [
        f"{identify(path)}:{one.line}"
        for path in outside
        for one in imports(path)
        if one.name.partition(".")[0] in PATCHES_THE_PROCESS
    ]
    assert found == []


def test_commands_import_the_load_package_lazily() -> None:
    eager = [
        f"{identify(path)}:{one.line}"
        for path in MODULES
        if path.is_relative_to(ROOT / "cli")
        for one in imports(path)
        if within(one.name, ("sendpoll.load",)) and not one.lazy
    ]
    assert eager == []


def test_listing_and_checking_patch_nothing() -> None:
    """Help for every command, and the suite itself, without gevent in the process."""
    program = """
import sys
from click.testing import CliRunner
from sendpoll.cli.main import cli
import sendpoll.conformance.server.suite_run
assert CliRunner().invoke(cli, ["--help"]).exit_code == 0
assert CliRunner().invoke(cli, ["check", "--help"]).exit_code == 0
assert CliRunner().invoke(cli, ["load", "--help"]).exit_code == 0
sys.exit(bool({"gevent", "locust"} & set(sys.modules)))
"""
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=120).returncode == 0


@pytest.mark.parametrize("path", MODULES, ids=identify)
def test_a_module_is_of_one_mind(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MODULE_LINES


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    taken = function.args
    named = [*taken.posonlyargs, *taken.args, *taken.kwonlyargs]
    return [one.arg for one in named if one.arg not in {"self", "cls"}]


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", MODULES, ids=identify)
def test_functions_are_short(path: Path) -> None:
    long = {
        function.name: lines
        for function in functions(path)
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_LINES
    }
    assert long == {}


@pytest.mark.parametrize("path", MODULES, ids=identify)
def test_parameter_lists_are_short(path: Path) -> None:
    """A check asks for fixtures, and a command has a parameter an option; these lists are not ours to choose."""
    long = {
        function.name: taken
        for function in functions(path)
        if len(taken := parameters(function)) > PARAMETERS
        and not function.name.startswith("test_")
        and not function.decorator_list
    }
    assert long == {}


@pytest.mark.parametrize("path", MODULES, ids=identify)
def test_a_module_says_what_it_is_for(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text))
    assert "from __future__ import annotations" in text or not list(imports(path))


# Inside a package a folder is a step on the way of the data, and imports point one way: a later one may import an
# earlier one. A module that stands in the package's own folder joins the steps, and none of them may import it.
STEPS: dict[str, tuple[str, ...]] = {
    "core": (
        "text",
        "validation",
        "interruption",
        "restart_command",
        "network_cost",
        "files",
        "json_text",
        "http",
        "oracle",
        "target",
        "dialing",
        "reports",
    ),
    "conformance": ("http", "rules", "results", "reporting", "server", "client", "recordings"),
    "conformance/client": (
        "serving",
        "situations",
        "running",
        "judging",
        "play",
        "client_report",
        "client_run",
        "preview",
        "serve",
        "listen",
    ),
    "conformance/recordings": (
        "recorded_exchange",
        "exchange_json",
        "writing",
        "reading",
        "api_calls",
        "threads",
        "ordering",
        "rows",
        "judged_server",
        "traffic_report",
        "traffic_judge",
        "judge_files",
    ),
    "conformance/server": (
        "transport",
        "inputs",
        "malloc",
        "probing",
        "checks",
        "server_report",
        "plugin",
        "pytest_exit",
        "suite_run",
        "replay",
    ),
    "load/plan/queueing": (
        "traces",
        "discipline",
        "work",
        "demand",
        "fit",
        "oddness",
        "work_shapes",
        "simulate",
        "predict",
        "capacity_forecast",
    ),
    "load": (
        "measure",
        "http",
        "scenario",
        "engine",
        "observe",
        "export",
        "users",
        "on_locust",
        "results",
        "report",
        "stub",
        "live",
        "shapes",
        "doctor",
        "abort",
        "bounded",
        "forecast",
        "restarting",
        "job",
        "locust_plugin",
        "plan",
        "trend",
    ),
}


def step_of(path: Path, package: str) -> str | None:
    """The step that a module of ours is part of, as seen from a package's folder."""
    if not path.is_relative_to(ROOT / package):
        return None
    first = path.relative_to(ROOT / package).parts[0].removesuffix(".py")
    return first if first in STEPS[package] else None


@pytest.mark.parametrize("package", STEPS)
def test_imports_point_one_way(package: str) -> None:
    order = {step: place for place, step in enumerate(STEPS[package])}
    prefix = f"sendpoll.{package.replace('/', '.')}."
    broken = []
    for path in MODULES:
        mine = step_of(path, package)
        if mine is None:
            continue
        for one in imports(path):
            theirs = one.name.removeprefix(prefix).partition(".")[0] if one.name.startswith(prefix) else None
            if theirs is not None and theirs != mine and order.get(theirs, len(order)) > order[mine]:
                broken.append(f"{identify(path)}:{one.line} {one.name}")
    assert broken == []


def test_no_import_runs_in_a_circle() -> None:
    """Neither at the start nor late, inside a function."""
    names = {f"sendpoll.{identify(path).removesuffix('.py').replace('/', '.')}": path for path in MODULES}
    names = {name.removesuffix(".__init__"): path for name, path in names.items()}
    needs = {name: {one.name for one in imports(path) if one.name in names} - {name} for name, path in names.items()}
    while free := [name for name, wanted in needs.items() if not wanted]:
        for name in free:
            del needs[name]
        needs = {name: wanted.difference(free) for name, wanted in needs.items()}
    assert needs == {}
