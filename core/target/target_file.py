"""Target files: a target in YAML, with variables of the environment in it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from sendpoll.core.files.errors import FileError
from sendpoll.core.files.load import load_yaml
from sendpoll.core.files.schema import require
from sendpoll.core.target.target import Target, Timeouts
from sendpoll.core.target.tokens import tokens_of_file
from sendpoll.core.target.traits import declared_traits
from sendpoll.core.target.url import TargetError
from sendpoll.core.target.variables import VariableError, expanded
from sendpoll.schemas.catalogue import load_catalogue
from sendpoll.schemas.contract import JSON

_TLS_FILES: Final = {"ca_file": "ca_file", "cert": "client_cert", "key": "client_key"}
_AS_TOLD: Final = ("token", "second_token", "origin", "workspace", "max_messages")


def load_target(path: Path, environ: Mapping[str, str]) -> Target:
    """Read a target file; files that it names stand relative to it.

    Raises TargetError that names the file, the place and the mend where it cannot be read, is no YAML, names a
    variable that `environ` lacks, or breaks its schema (`files/target.json`). No value is ever told: it may be a token.
    """
    try:
        parsed = load_yaml(path)
        if isinstance(parsed.value, dict):
            told = {key: _expanded(key, value, environ) for key, value in parsed.value.items()}
            parsed = replace(parsed, value=told)
        require(parsed, "files/target.json", str(path), secret=True)
        described: JSON = parsed.value
        for identifier in described.get("not_applicable", {}):
            if identifier not in load_catalogue().by_id:
                place = parsed.where(("not_applicable", identifier))
                raise TargetError(f"{place} is no row; `sendpoll requirements` lists them")
        return _target_of(described, path.parent)
    except FileError as error:
        raise TargetError(str(error)) from error
    except TargetError as error:
        raise TargetError(f"{path}: {error}") from error


def _expanded(key: str, value: Any, environ: Mapping[str, str]) -> Any:
    try:
        return expanded(value, environ)
    except VariableError as error:
        raise TargetError(f"{key}: {error}") from error


def _target_of(described: JSON, folder: Path) -> Target:
    changes: dict[str, Any] = {name: described[name] for name in _AS_TOLD if name in described}
    tls = described.get("tls", {})
    changes |= {field: _file(folder / tls[name]) for name, field in _TLS_FILES.items() if name in tls}
    if "traits" in described:
        changes["traits"] = declared_traits(described["traits"])
    if "tokens" in described:
        changes |= _pool(described, folder)
    return Target(
        base_url=described["url"],
        token_command=_words(described.get("token_command", [])),
        headers=tuple(described.get("headers", {}).items()),
        public_headers=tuple(described.get("public_headers", ())),
        verify_tls=tls.get("verify", True),
        prompts=described.get("prompts", {}),
        timeouts=Timeouts(**described.get("timeouts", {})),
        not_applicable=described.get("not_applicable", {}),
        **changes,
    )


def _file(path: Path) -> Path:
    if not path.is_file():
        raise TargetError(f"tls: there is no file {path}")
    return path


def _pool(described: JSON, folder: Path) -> JSON:
    if "token" in described:
        raise TargetError("token and tokens are both told; leave one of them out")
    told = described["tokens"]
    tokens = tuple(told) if isinstance(told, list) else tokens_of_file(folder / told["file"])
    return {"token": tokens[0], "tokens": tokens}


def _words(command: str | list[str]) -> tuple[str, ...]:
    """A command as its words; no shell reads it."""
    try:
        return tuple(shlex.split(command) if isinstance(command, str) else command)
    except ValueError as error:
        raise TargetError(f"token_command: {error}; write it as a list of words") from error
