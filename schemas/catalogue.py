"""The catalogues of requirements, from `requirements.yaml` and `client_requirements.yaml` into typed rows.

What a check refers to by its marker, a mutant by its name and a report by its table is one of these rows. Both files
have one form; what the rows of a server say of the published clients (`breaks`) those of a client do not.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import yaml

from sendpoll.schemas.contract import folder

CLIENTS: Mapping[str, str] = MappingProxyType(
    {
        "C": "curl in bash",
        "P": "Python requests",
        "N": "Node fetch",
        "B": "fetch in a browser",
        "D": "Dart with package:http",
    }
)
"""The published clients by the letter that the catalogue names them with."""


class Subject(StrEnum):
    """Of whom a catalogue asks something."""

    SERVER = "server"
    CLIENT = "client"
    TRAFFIC = "traffic"
    """Both of them, where what passed between them is judged."""

    @property
    def source(self) -> str:
        """The file that its rows stand in; of traffic there is none of its own."""
        return "client_requirements.yaml" if self is Subject.CLIENT else "requirements.yaml"


_ID = re.compile(r"[A-Z]+-[1-9][0-9]*")
_TEXTS = ("title", "because", "example", "excluded", "asked_by", "ambiguous", "decided")
_KEYS = frozenset({"id", "level", "breaks", *_TEXTS})


class CatalogueError(ValueError):
    """The catalogue is wrong; the message names the file and the row."""


class Level(StrEnum):
    """What hangs on a requirement."""

    MUST = "MUST"
    """Of a server: a published client breaks without it. Of a client: its user loses something on a right server."""
    SHOULD = "SHOULD"
    """HTTP, safety or courtesy asks for it; nobody breaks without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One row: what a server or a client must or should do, and why."""

    id: str
    level: Level
    title: str
    """A sentence that goes on behind `The server must`, `The client should` and the like."""
    because: str
    subject: Subject = Subject.SERVER
    breaks: Mapping[str, str] = field(default_factory=dict)
    """Client letter to the failure that was observed."""
    example: str = ""
    excluded: str = ""
    """Why no check exists; empty for a row that has one."""
    asked_by: str = ""
    """The option of the command without which it is not judged; empty for a row that every run judges."""
    ambiguous: str = ""
    decided: str = ""

    @property
    def sentence(self) -> str:
        """The requirement as a whole sentence."""
        return f"The {self.subject} {self.level.lower()} {self.title}."


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All rows, in the order of the file."""

    rows: tuple[Requirement, ...]

    @property
    def by_id(self) -> Mapping[str, Requirement]:
        """Each row under its id."""
        return {row.id: row for row in self.rows}

    @property
    def checked(self) -> tuple[Requirement, ...]:
        """The rows that a check must exist for."""
        return tuple(row for row in self.rows if not row.excluded)


@functools.cache
def load_catalogue(subject: Subject = Subject.SERVER) -> Catalogue:
    """The catalogue of this version of the suite; of traffic, both. Raises CatalogueError where a file is wrong."""
    if subject is Subject.TRAFFIC:
        return Catalogue((*load_catalogue(Subject.SERVER).rows, *load_catalogue(Subject.CLIENT).rows))
    return parse_catalogue(folder().joinpath(subject.source).read_text(encoding="utf-8"), subject.source, subject)


def parse_catalogue(text: str, source: str, subject: Subject = Subject.SERVER) -> Catalogue:
    """The catalogue in a YAML text; `source` is the file that an error names.

    Raises CatalogueError for anything but a list of rows with known keys, unique ids, known levels and clients, and
    the texts that a row of its kind must have.
    """
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise CatalogueError(f"{source} is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(raw, list):
        raise CatalogueError(f"{source}: the catalogue must be a list of rows")
    rows = tuple(_row(number, entry, source, subject) for number, entry in enumerate(raw, start=1))
    _no_id_twice(rows, source)
    return Catalogue(rows)


def _no_id_twice(rows: Iterable[Requirement], source: str) -> None:
    seen: set[str] = set()
    for row in rows:
        if row.id in seen:
            raise CatalogueError(f"{source}: {row.id}: the id stands twice; give the second row its own")
        seen.add(row.id)


def _row(number: int, entry: Any, source: str, subject: Subject) -> Requirement:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
        raise CatalogueError(f"{source}: row {number}: a row is a mapping with an id such as POLL-8")
    where = f"{source}: {entry['id']}"
    if not _ID.fullmatch(entry["id"]):
        raise CatalogueError(f"{where}: an id is capital letters, a hyphen and a number, such as POLL-8")
    if unknown := sorted(entry.keys() - _KEYS):
        raise CatalogueError(f"{where}: unknown key {unknown[0]!r}; the keys are {', '.join(sorted(_KEYS))}")
    for key in _TEXTS:
        if key in entry and not (isinstance(entry[key], str) and entry[key].strip()):
            raise CatalogueError(f"{where}: {key} must be a text, not {entry[key]!r}")
    for key in ("title", "because"):
        if key not in entry:
            raise CatalogueError(f"{where}: {key} is missing; every row says what it asks and why")
    return _requirement(entry, where, subject)


def _requirement(entry: Mapping[str, Any], where: str, subject: Subject) -> Requirement:
    if entry.get("level") not in list(Level):
        raise CatalogueError(f"{where}: level must be MUST or SHOULD, not {entry.get('level')!r}")
    level = Level(entry["level"])
    breaks = entry.get("breaks", {})
    if not isinstance(breaks, dict) or not all(isinstance(told, str) for told in breaks.values()):
        raise CatalogueError(f"{where}: breaks must map client letters to what was observed")
    if unknown := sorted(set(map(str, breaks)) - set(CLIENTS)):
        raise CatalogueError(f"{where}: breaks names the unknown client {unknown[0]!r}; they are {', '.join(CLIENTS)}")
    if subject is Subject.CLIENT and "breaks" in entry:
        raise CatalogueError(f"{where}: breaks tells what a server does to clients; this row is about a client")
    if subject is Subject.SERVER and level is Level.MUST and not breaks and "excluded" not in entry:
        raise CatalogueError(f"{where}: a MUST row names the clients that break; if none does, it is a SHOULD")
    if subject is Subject.CLIENT and "example" not in entry and "excluded" not in entry:
        raise CatalogueError(f"{where}: example is missing: the passage of a published client or of HTTP behind it")
    texts = {key: entry[key] for key in _TEXTS if key in entry}
    told = MappingProxyType(dict(breaks))
    return Requirement(id=entry["id"], level=level, subject=subject, breaks=told, **texts)
