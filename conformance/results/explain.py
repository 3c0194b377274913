"""Everything that the project knows of one requirement, read from where each part is kept.

The sentence comes from the catalogue, the checks from the suite's own source by the marker that they carry, and the
mutants from the list that the kill matrix is held to.
"""

from __future__ import annotations

import ast
import difflib
import functools
import importlib.resources
import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import yaml

from sendpoll.conformance.results.hints import HINTS
from sendpoll.conformance.rules.rules import RULES
from sendpoll.schemas.catalogue import CLIENTS, Catalogue, Requirement, Subject, load_catalogue

_WIDTH = 80
_LABEL = 11


class UnknownRequirementError(LookupError):
    """No such row; the message names the nearest ones."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a requirement."""

    node: str
    """Where it is, as pytest names it."""
    sentence: str
    """What it does."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One requirement, how it is checked, and how the check itself is proven."""

    requirement: Requirement
    checks: tuple[Check, ...]
    mutants: tuple[str, ...]
    """Servers or clients with one fault each, on which the check is known to fail."""
    hint: str
    """What to configure where no run exercises it; empty where nothing needs to be."""


def explain(identifier: str) -> Explanation:
    """What is known of a requirement; its id may be given in any case. Raises UnknownRequirementError."""
    row = find(identifier)
    if row.subject is Subject.CLIENT:
        return Explanation(row, _situations().get(row.id, ()), _proofs("bad_clients.json").get(row.id, ()), "")
    return Explanation(row, _checks().get(row.id, ()), _proofs("mutants.json").get(row.id, ()), HINTS.get(row.id, ""))


def find(identifier: str, subjects: Iterable[Subject] = tuple(Subject)) -> Requirement:
    """The row of an id in any case, in the catalogues of these subjects. Raises UnknownRequirementError."""
    known = {name: row for subject in subjects for name, row in load_catalogue(subject).by_id.items()}
    wanted = identifier.strip().upper()
    if wanted in known:
        return known[wanted]
    near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.5)
    mend = f"did you mean {' or '.join(near)}?" if near else "sendpoll requirements lists them all"
    raise UnknownRequirementError(f"there is no requirement {identifier!r}; {mend}")


# ---- the suite's own source ----


@functools.cache
def _checks() -> Mapping[str, tuple[Check, ...]]:
    found: dict[str, list[Check]] = {}
    suite = importlib.resources.files("sendpoll.conformance.server.checks")
    modules = sorted((entry for entry in suite.iterdir() if _is_check_module(entry.name)), key=lambda entry: entry.name)
    for module in modules:
        for function in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef):
                for identifier in _marked(function):
                    sentence = " ".join((ast.get_docstring(function) or "").split())
                    found.setdefault(identifier, []).append(Check(f"{module.name}::{function.name}", sentence))
    for identifier in dict.fromkeys(rule.requirement for rule in RULES):
        told = Check("rules.py", "A rule is applied to every exchange of the whole run that could break it.")
        found.setdefault(identifier, []).append(told)
    return MappingProxyType({identifier: tuple(checks) for identifier, checks in found.items()})


def _is_check_module(name: str) -> bool:
    return name.startswith("test_") and name.endswith(".py")


def _marked(function: ast.FunctionDef) -> Iterator[str]:
    """The ids in the `requirement` markers of a test function, its own or those of its parameters."""
    known = load_catalogue().by_id
    for decorator in function.decorator_list:
        inside = list(ast.walk(decorator))
        if any(isinstance(node, ast.Call) and _name(node.func) == "requirement" for node in inside):
            texts = (node.value for node in inside if isinstance(node, ast.Constant) and isinstance(node.value, str))
            yield from (text for text in texts if text in known)


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


@functools.cache
def _situations() -> Mapping[str, tuple[Check, ...]]:
    """The situations that are about each row of the clients' catalogue, from their files."""
    found: dict[str, list[Check]] = {}
    folder = importlib.resources.files("sendpoll.conformance.client.situations")
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".yaml"):
            situation = yaml.safe_load(entry.read_text(encoding="utf-8"))
            for identifier in situation["judges"]:
                title = situation["title"]
                found.setdefault(identifier, []).append(Check(entry.name, f"{title[0].upper()}{title[1:]}."))
    return MappingProxyType({identifier: tuple(checks) for identifier, checks in found.items()})


@functools.cache
def _proofs(name: str) -> Mapping[str, tuple[str, ...]]:
    source = importlib.resources.files("sendpoll.conformance").joinpath(name)
    listed: dict[str, list[str]] = json.loads(source.read_text(encoding="utf-8"))
    return MappingProxyType({identifier: tuple(names) for identifier, names in listed.items()})


# ---- as text ----


def explanation_text(explanation: Explanation) -> str:
    """The explanation as 80 columns of plain text."""
    row = explanation.requirement
    parts = [f"{row.id} ({row.level})", _wrapped("", row.sentence, indent=0), "", _wrapped("because", row.because)]
    if row.subject is Subject.SERVER:
        parts.extend(_listed("breaks", list(_broken(row)) or ["no published client"]))
    told = {"example": row.example, "ambiguous": row.ambiguous, "decided": row.decided, "not checked": row.excluded}
    parts.extend(_wrapped(label, text) for label, text in told.items() if text)
    checks = [f"{check.sentence} ({check.node})" if check.sentence else check.node for check in explanation.checks]
    parts.extend(_listed("checked by", checks))
    if explanation.mutants:
        faulty = f"the faulty {row.subject}{'' if len(explanation.mutants) == 1 else 's'}"
        parts.append(_wrapped("proven by", f"{faulty} {', '.join(explanation.mutants)}"))
    if explanation.hint:
        parts.append(_wrapped("no verdict", f"where {explanation.hint}"))
    if not row.excluded:
        asked = f" {row.asked_by} COMMAND" if row.asked_by else ""
        called = f"check URL --only {{}}{asked}" if row.subject is Subject.SERVER else "client --only {} -- COMMAND"
        parts.append(_wrapped("try it", f"sendpoll {called.format(row.id)}"))
    return "\n".join(parts) + "\n"


def _broken(row: Requirement) -> Iterator[str]:
    """What was observed, each time with the clients that it happens to."""
    observed: dict[str, list[str]] = {}
    for letter, told in row.breaks.items():
        observed.setdefault(told, []).append(CLIENTS[letter])
    for told, clients in observed.items():
        yield f"{'every published client' if len(clients) == len(CLIENTS) else ', '.join(clients)}: {told}"


def _listed(label: str, texts: list[str]) -> Iterator[str]:
    for number, text in enumerate(texts):
        yield _wrapped(label if number == 0 else "", text)


def _wrapped(label: str, text: str, indent: int = _LABEL) -> str:
    head = label.ljust(indent) + (" " if label and len(label) >= indent else "")
    flat = " ".join(text.split())
    return textwrap.fill(flat, _WIDTH, initial_indent=head, subsequent_indent=" " * indent, break_on_hyphens=False)


# ---- the catalogue ----


def catalogue_text(catalogue: Catalogue, level: str | None = None) -> str:
    """All rows of a level, or of both, as 80 columns of plain text."""
    lines = []
    for row in _chosen(catalogue, level):
        clients = "".join(letter if letter in row.breaks else "." for letter in CLIENTS) + " "
        excluded = " (not checked)" if row.excluded else ""
        head = f"{row.id:<9} {row.level:<6} {clients if row.subject is Subject.SERVER else ''}"
        lines.append(_wrapped(head, f"{row.title}{excluded}", indent=len(head)))
    clients = ", ".join(f"{letter} {name}" for letter, name in CLIENTS.items())
    subject = catalogue.rows[0].subject
    told = f" Breaks: {clients}." if subject is Subject.SERVER else ""
    lines.extend(["", textwrap.fill(f"Each sentence begins: the {subject} must, or should.{told}", _WIDTH)])
    return "\n".join(lines) + "\n"


def catalogue_json(catalogue: Catalogue, level: str | None = None) -> str:
    """All rows of a level, or of both, as a JSON list."""
    return json.dumps([_as_json(row) for row in _chosen(catalogue, level)], indent=1) + "\n"


def catalogue_markdown(catalogue: Catalogue, level: str | None = None) -> str:
    """All rows of a level, or of both, as a Markdown table."""
    subject = catalogue.rows[0].subject
    heads = ["id", "level", f"the {subject} must or should", *(["breaks"] if subject is Subject.SERVER else [])]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in _chosen(catalogue, level):
        cells = [row.id, row.level, _cell(row.title) + (" (not checked)" if row.excluded else ""), " ".join(row.breaks)]
        lines.append(f"| {' | '.join(cells[: len(heads)])} |")
    return "\n".join(lines) + "\n"


def _chosen(catalogue: Catalogue, level: str | None) -> list[Requirement]:
    return [row for row in catalogue.rows if level is None or row.level.lower() == level.lower()]


def _as_json(row: Requirement) -> dict[str, Any]:
    told = {"id": row.id, "level": str(row.level), "title": row.sentence, "because": row.because}
    rest = {"example": row.example, "ambiguous": row.ambiguous, "decided": row.decided, "excluded": row.excluded}
    return {**told, "breaks": dict(row.breaks), **{key: text for key, text in rest.items() if text}}


def _cell(text: str) -> str:
    escaped = text
    for sign in ("\\", "|", "<", "*", "_", "`", "["):
        escaped = escaped.replace(sign, f"\\{sign}")
    return escaped
