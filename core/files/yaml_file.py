"""YAML as people write it for us: mappings, lists and texts, read event by event, so that nothing grows unseen.

YAML 1.1 takes words for what they are not meant to be: `no` for a boolean, 0123 for 83, 2026-01-01 for a date. Such a
word is refused with the advice to quote it. A boolean, a number in plain digits and an empty value are what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from sendpoll.core.files.errors import FileError
from sendpoll.core.files.parsed import DEPTH, Parsed, Place

_VALUES: Final = 20_000
"""Values, those that an alias repeats counted again: a few lines of aliases can stand for more than a memory holds."""
_LOADER: Final = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_RESOLVER: Final = yaml.SafeLoader("")
_TEXT: Final = "tag:yaml.org,2002:str"
_COLLECTIONS: Final = frozenset({"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})
_KINDS: Final = {"int": "a number", "float": "a number", "timestamp": "a date", "merge": "a merge of mappings"}
_PLAIN: Final = frozenset({None, ""})
_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_FLOAT: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,17}")
_BOOLEANS: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_TABS: Final = "indent with spaces, not with tabs"
_HINTS: Final = (
    ("mapping values are not allowed", "quote the value that has ': ' in it"),
    ("cannot start any token", "quote the value that begins so"),
    ("expected alphabetic or numeric character", "quote the value that begins with * or &"),
    ("did not find expected", "quote values that begin with a sign of YAML, and close what is open"),
)


@dataclass(slots=True)
class _Frame:
    """A mapping or a list that is open."""

    value: dict[str, Any] | list[Any]
    place: Place
    line: int
    anchor: str | None
    size: int = 1
    key: str | None = None


@dataclass(slots=True)
class _Builder:
    """Makes values of events."""

    source: str
    all_text: bool
    frames: list[_Frame] = field(default_factory=list)
    lines: dict[Place, int] = field(default_factory=dict)
    unquoted: set[Place] = field(default_factory=set)
    anchors: dict[str, tuple[Any, int]] = field(default_factory=dict)
    root: Any = None
    documents: int = 0

    def take(self, event: yaml.Event) -> None:
        """Book one event. Raises FileError."""
        line = event.start_mark.line + 1 if event.start_mark is not None else 1
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise self.fault(line, "a second document begins; keep one")
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._open(event, line)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._close()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event, line)
        elif isinstance(event, yaml.ScalarEvent):
            self._scalar(event, line)

    def fault(self, line: int, sentence: str) -> FileError:
        """What is told of a line."""
        return FileError(f"{self.source}: line {line}: {sentence}")

    def _open(self, event: yaml.CollectionStartEvent, line: int) -> None:
        if event.tag is not None and event.tag not in _COLLECTIONS:
            raise self.fault(line, f"the tag {event.tag[:40]!r} is not read here; leave it out, or quote the value")
        if len(self.frames) >= DEPTH:
            raise self.fault(line, f"is nested more than {DEPTH} levels deep")
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        self.frames.append(_Frame({} if is_mapping else [], self._place(line), line, event.anchor))

    def _close(self) -> None:
        frame = self.frames.pop()
        if frame.anchor is not None:
            self.anchors[frame.anchor] = frame.value, frame.size
        self._add(frame.value, frame.size, frame.line)

    def _alias(self, event: yaml.AliasEvent, line: int) -> None:
        name = str(event.anchor)[:40]
        if event.anchor not in self.anchors:
            raise self.fault(line, f"*{name} is an alias for nothing that stands before it; quote it if it is a text")
        self._place(line)
        self._add(*self.anchors[event.anchor], line)

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> None:
        if event.anchor is not None:
            raise self.fault(line, "a value that begins with & is an anchor to YAML; quote it if it is a text")
        if event.tag not in {None, "!", _TEXT}:
            raise self.fault(line, f"the tag {event.tag[:40]!r} is not read here; leave it out, or quote the value")
        place = self._place(line)
        is_text = self.all_text or event.tag is not None or event.style not in _PLAIN
        value = event.value if is_text else self._plain(event.value, place, line)
        if not isinstance(value, str):
            self.unquoted.add(place)
        self._add(value, 1, line)

    def _plain(self, word: str, place: Place, line: int) -> Any:
        """What a word without quotes is; a text where nothing else claims it."""
        kind = str(_RESOLVER.resolve(yaml.ScalarNode, word, (True, False))).rpartition(":")[2]  # type: ignore[no-untyped-call] # the stubs leave it out
        if kind == "bool":
            return _BOOLEANS[word.lower()]
        if kind == "null":
            return None
        if kind == "int" and _INTEGER.fullmatch(word):
            return int(word)
        if kind == "float" and _FLOAT.fullmatch(word):
            return float(word)
        if kind in _KINDS:
            where = f"{'/'.join(map(str, place))}: " if place else ""
            mend = "quote it if it is a text, write a number in plain digits"
            raise self.fault(line, f"{where}what stands here is {_KINDS[kind]} to YAML, not what it looks like; {mend}")
        return word

    def _place(self, line: int) -> Place:
        """Where the value comes that is read next."""
        if not self.frames:
            place: Place = ()
        else:
            frame = self.frames[-1]
            if isinstance(frame.value, list):
                place = (*frame.place, len(frame.value))
            else:
                place = (*frame.place, frame.key) if frame.key is not None else frame.place
        self.lines.setdefault(place, line)
        return place

    def _add(self, value: Any, size: int, line: int) -> None:
        if not self.frames:
            self.root = value
            return
        frame = self.frames[-1]
        frame.size += size
        if frame.size > _VALUES:
            raise self.fault(line, f"more than {_VALUES:,} values stand here, with what aliases repeat")
        if isinstance(frame.value, list):
            frame.value.append(value)
        elif frame.key is None:
            frame.key = self._key(value, frame, line)
        else:
            frame.value[frame.key] = value
            frame.key = None

    def _key(self, key: Any, frame: _Frame, line: int) -> str:
        if not isinstance(key, str):
            raise self.fault(line, "a name here is no text to YAML; quote it")
        assert isinstance(frame.value, dict)  # noqa: S101 - a list has no keys
        if key in frame.value:
            raise self.fault(line, f"{key[:40]!r} stands twice; leave one of them out")
        return key


def parse_yaml(text: str, source: str, *, all_text: bool = False) -> Parsed:
    """The value of a YAML text; `source` is the file that an error names.

    With `all_text` every word is a text, quoted or not. Raises FileError.
    """
    builder = _Builder(source, all_text)
    try:
        for event in _events(text):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        raise FileError(f"{source} is no YAML: {_told(error, text)}") from error
    except yaml.YAMLError as error:  # characters that YAML has not; it names them and their position
        raise FileError(f"{source} is no YAML: {' '.join(str(error).split())}") from error
    return Parsed(builder.root, builder.lines, frozenset(builder.unquoted))


def _events(text: str) -> Iterator[yaml.Event]:
    yield from yaml.parse(text, Loader=_LOADER)


def _told(error: yaml.MarkedYAMLError, text: str) -> str:
    mark, problem = error.problem_mark or error.context_mark, error.problem or error.context or "it cannot be read"
    if mark is None:
        return problem
    line = "".join(text.split("\n")[mark.line : mark.line + 1])
    indented_by_tabs = "\t" in line[: len(line) - len(line.lstrip())]
    hint = next((mend for sign, mend in _HINTS if sign in problem), "quote what is text")
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}; {_TABS if indented_by_tabs else hint}"
