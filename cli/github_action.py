"""The steps of `action.yml` that are more than a line: its inputs as a command, and what came of it as outputs.

Inputs come as one JSON object in a variable: a text that GitHub puts into a script would be run as a part of it.
"""

from __future__ import annotations

import glob
import json
import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NoReturn, cast

import click

from sendpoll.cli.main import cli
from sendpoll.core.files.errors import FileError
from sendpoll.core.files.load import load_json
from sendpoll.core.reports.ci_log import annotation
from sendpoll.core.text.safe import one_line

COMMANDS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "check": ("report.json", "report.json"),
        "client": ("report.json", "report.json"),
        "load": ("result.json", "load-result.json"),
        "plan": ("plan.json", "plan.json"),
        "judge": ("report.json", "report.json"),
    }
)
"""Each command of the action, the file that has its verdict, and that file's schema."""
OWN: Final = frozenset(
    {"command", "run", "files", "token", "second-token", "options", "report-dir", "artifact", "python-version"}
)
"""Inputs that are no option of a command by their name."""
_TAKES: Final = {"check": "url", "load": "url", "plan": "url", "client": "run", "judge": "files"}
"""The input that stands behind the options of each command; `judge` has its URL as one of those."""
_INPUTS: Final = "SENDPOLL_INPUTS"
_SECRETS: Final = {"token": "SENDPOLL_TOKEN", "second-token": "SENDPOLL_SECOND_TOKEN"}
_SUMMARY: Final = "summary.md"
_NO_VERDICT: Final = "none"
_USAGE: Final = 2


class InputError(Exception):
    """An input cannot be what it is; the message names it and the mend."""


def command_line(inputs: Mapping[str, str]) -> list[str]:
    """The words behind `sendpoll`. Raises InputError."""
    name = inputs["command"]
    if name not in COMMANDS:
        raise InputError(f"command: {name!r} is none of {', '.join(COMMANDS)}")
    command = _click_command(name)
    words = [name]
    for given, text in inputs.items():
        if given not in OWN and given != _TAKES[name] and text.strip():
            words += _option(command, given, text)
    words += ["--report-dir", inputs["report-dir"], *_words("options", inputs.get("options", ""))]
    return words + list(_arguments(name, inputs))


def _click_command(name: str) -> click.Command:
    command = cli.get_command(click.Context(cli), name)
    if command is None:
        raise InputError(f"command: this version has no {name}")
    return command


def _option(command: click.Command, given: str, text: str) -> Iterator[str]:
    option = f"--{given}"
    found = next((one for one in command.params if option in one.opts), None)
    if not isinstance(found, click.Option):
        raise InputError(f"{given}: sendpoll {command.name} has no such option; leave it out")
    if found.is_flag:
        if text.strip() not in {"true", "false"}:
            raise InputError(f"{given}: {text.strip()!r} is neither true nor false")
        if text.strip() == "true":
            yield option
    else:
        for value in text.splitlines() if found.multiple else [text]:
            if value.strip():
                yield from (option, value.strip())


def _arguments(command: str, inputs: Mapping[str, str]) -> Iterator[str]:
    """What stands behind the options."""
    for name in ("run", "files"):
        if inputs.get(name, "").strip() and _TAKES[command] != name:
            raise InputError(f"{name}: sendpoll {command} takes none; leave it out")
    text = inputs.get(_TAKES[command], "").strip()
    if command == "client" and text:
        yield from ("--", *_words("run", text))
    elif command == "judge":
        for line in text.splitlines():
            # A pattern of which there is no file stays as it is, so that the command names it.
            yield from sorted(glob.glob(line.strip(), recursive=True)) or [line.strip()]  # noqa: PTH207 - may be absolute
    elif text:
        yield text


def _words(name: str, text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as problem:
        raise InputError(f"{name}: {problem}; write it as words of a shell") from problem


def run(inputs: Mapping[str, str], environ: Mapping[str, str]) -> NoReturn:
    """Become the command. Raises InputError and OSError."""
    words = command_line(inputs)
    folder = Path(inputs["report-dir"])
    for stale in (COMMANDS[inputs["command"]][0], _SUMMARY):
        (folder / stale).unlink(missing_ok=True)  # else an earlier run's verdict would be told as this one's
    environment = {name: value for name, value in environ.items() if name != _INPUTS}
    environment |= {variable: inputs[name] for name, variable in _SECRETS.items() if inputs.get(name)}
    os.execve(sys.executable, [sys.executable, "-m", "sendpoll.cli.main", *words], environment)  # noqa: S606 - no shell is meant


def outputs(inputs: Mapping[str, str]) -> dict[str, str]:
    """The verdict and the capacity that the command's report has."""
    file, schema = COMMANDS.get(inputs["command"], ("", ""))
    path = Path(inputs["report-dir"]) / file
    if not file or not path.is_file():
        return {"verdict": _NO_VERDICT, "capacity": ""}
    report = load_json(path, f"files/{schema}")
    return {"verdict": report["verdict"], "capacity": _capacity(report) if inputs["command"] == "plan" else ""}


def _capacity(plan: Mapping[str, Any]) -> str:
    from sendpoll.load.plan.report.markdown import level_of

    level: float | None = plan["answer"]["level"]
    return "" if level is None else level_of(level, plan["unit"])


def tell(inputs: Mapping[str, str], environ: Mapping[str, str]) -> None:
    """Append the outputs, and the summary or why there is none. Raises InputError, FileError and OSError."""
    with Path(environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
        file.writelines(f"{name}={one_line(value)}\n" for name, value in outputs(inputs).items())
    summary = Path(inputs["report-dir"]) / _SUMMARY
    told = f"`sendpoll {inputs['command']}` wrote no summary; the log of its step says why.\n"
    with Path(environ["GITHUB_STEP_SUMMARY"]).open("a", encoding="utf-8") as file:
        file.write(summary.read_text(encoding="utf-8") if summary.is_file() else told)


def main(step: str, environ: Mapping[str, str]) -> int:
    """Do a step of the action; the exit code."""
    inputs = cast("dict[str, str]", json.loads(environ[_INPUTS]))
    try:
        (run if step == "run" else tell)(inputs, environ)
    except (InputError, FileError, OSError) as problem:
        sys.stdout.write(annotation("error", "sendpoll", str(problem)) + "\n")
        return _USAGE
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], os.environ))
