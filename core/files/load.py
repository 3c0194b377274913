"""Files by their schema: the one way in for everything that is read from a disk and not our own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from sendpoll.core.files.json_file import parse_json
from sendpoll.core.files.parsed import Parsed
from sendpoll.core.files.schema import require
from sendpoll.core.files.source import read_source
from sendpoll.core.files.yaml_file import parse_yaml

YAML_BYTES: Final = 256 * 1024
"""Of a file that people write by hand."""
JSON_BYTES: Final = 8 * 1024 * 1024
"""Of a file that the toolkit wrote; a report of 2,000 requests has half of a million."""


def load_json(path: Path, schema: str) -> Any:
    """The value of a JSON file that follows a document such as `files/report.json`. Raises FileError."""
    parsed = parse_json(read_source(path, JSON_BYTES), str(path))
    require(parsed, schema, str(path))
    return parsed.value


def load_yaml(path: Path, *, all_text: bool = False) -> Parsed:
    """What a YAML file holds, yet to be held to its schema. Raises FileError."""
    return parse_yaml(read_source(path, YAML_BYTES), str(path), all_text=all_text)
