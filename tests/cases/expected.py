"""What must be said of each server of the collection, and what its scripts must print, as tables by the file's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a run of `check` or `load` must come to; the rows of a load run are those that it found broken."""

    exit_codes: frozenset[int]
    failed: frozenset[str] = frozenset()
    """Rows of which at least one must fail; none where empty."""
    also: frozenset[str] = frozenset()
    """Other MUST rows that may fail with them."""
    green: frozenset[str] = frozenset()
    """Rows that must not fail, SHOULD ones too."""
    says: str = ""
    """A regular expression that must be found in what is printed."""
    options: tuple[str, ...] = ()
    url: str = "http://127.0.0.1:{port}"
    seeds: tuple[int, ...] = (1,)
    enough: int = 0
    """Of how many seeds it must hold; of all where 0."""


def _green(*, may_be_open: bool = False, **more: Any) -> Expected:
    return Expected(exit_codes=frozenset({0, 3} if may_be_open else {0}), **more)


def _red(*rows: str, also: frozenset[str] = frozenset(), **more: Any) -> Expected:
    return Expected(exit_codes=frozenset({1}), failed=frozenset(rows), also=also, **more)


_LATE = frozenset({"POLL-5", "POLL-7"})
"""What a log whose tail comes late breaks for readers who came before it."""

EXPECTED: Mapping[str, Expected] = {
    "00-right": _green(),
    "01-limit-per-minute": _green(may_be_open=True),
    "02-limit-nginx-503": _green(may_be_open=True),
    "03-limit-http-date": _green(may_be_open=True),
    "04-gzip-members": _green(),
    "05-ttl-after-end": _green(may_be_open=True),
    "06-offsets-epoch": _green(green=frozenset({"FROM-2", "FROM-3", "FROM-4", "FROM-5", "POLL-12"})),
    "07-waf-user-agent": _red("REQ-4", also=frozenset({"ENC-2"})),
    "08-one-at-a-time": _green(may_be_open=True, green=frozenset({"POLL-9", "QUEUE-1"})),
    "10-cors-allow-list": _green(options=("--origin", "https://app.example")),
    "11-http2-only": Expected(exit_codes=frozenset({1, 3}), also=frozenset({"HTTP-4"}), says="HTTP/2"),
    "12-ipv6-only": _red("REQ-11", url="http://[::1]:{port}"),
    "14-replica-lag": _red("POLL-8", also=_LATE),
    "15-flush-behind-status": _red("POLL-8", "POLL-7", also=_LATE, seeds=(1, 2, 3, 4, 5), enough=4),
    "16-emoji-halves-dropped": _red("ENC-1", "REQ-6", "POLL-5"),
    "17-slash-redirect": _red("REQ-9", says="curl"),
    "18-keep-alive-race": _red("HTTP-8", "HTTP-7"),
    "19-weak-etag": _red("POLL-11"),
    "20-workers-without-shared-state": _red("MSG-1", "MSG-2", "REQ-5", also=frozenset({"POLL-1", "CONV-1"})),
    "21-prefix": _green(url="http://127.0.0.1:{port}/agents/v2/"),
    "22-odd-dates": _green(),
    "23-json-nan": _red("JSON-2"),
    "24-opaque-cursor": _green(may_be_open=True),
    "26-emoji-empty-between": _red("ENC-1"),
}
"""Of `check`."""


def _loaded(*codes: int, **more: Any) -> Expected:
    return Expected(exit_codes=frozenset(codes), **more)


_SHORT = ("--users", "8", "--duration", "15s")
LOADED: Mapping[str, Expected] = {
    "00-right": _loaded(0, options=_SHORT),
    "01-limit-per-minute": _loaded(0, 1, 3, options=_SHORT, says="PASS|429"),
    "04-gzip-members": _loaded(0, options=_SHORT),
    "05-ttl-after-end": _loaded(0, options=_SHORT),
    "24-opaque-cursor": _loaded(0, options=_SHORT),
    "42-token-expires": _loaded(1, 4, options=("--users", "5", "--duration", "30s"), says="401"),
    "45-dies-midway": _loaded(
        1, options=("--users", "10", "--duration", "40s", "--slo", "errors <= 20%", "--inconclusive", "pass")
    ),
    "50-sheds-load": _loaded(
        1, options=("--users", "20", "--duration", "15s"), says=r"Refusals\s+[\d,]+x  POST messages: 503"
    ),
    "51-rate-limited": _loaded(0, options=("--users", "20", "--duration", "15s")),
    "56-tenant-cap": _loaded(0, options=_SHORT),
    "57-prompt-cache": _loaded(0, options=_SHORT, says=r"first event +\d+ +2\.\d+ s"),
    "75-own-user-agent": _loaded(0, 3, options=("--users", "2", "--duration", "8s", "--header", "User-Agent: my/1")),
}


@dataclass(frozen=True, slots=True)
class Printed:
    """What a script must print, and must not: regular expressions."""

    wanted: tuple[str, ...]
    never: tuple[str, ...] = ("Traceback",)


SCRIPTS: Mapping[str, Printed] = {
    "13-first-address-dead": Printed((r"published clients work with http://two\.test", r"PASS|INCONCLUSIVE")),
    "30-open-files": Printed((r"exit: 4 .*open files",)),
    "32-two-addresses": Printed((r'"127\.0\.0\.2": [1-9].*"127\.0\.0\.3": [1-9].*"127\.0\.0\.4": [1-9]',)),
    "35-clock-steps": Printed((r"load  rc 0", r"check rc 0"), ("Traceback", "worker .* lost")),
    "38-short-runs": Printed(
        ("is not in the range", "is no time", "is no rate", "no task was measured"), ("Traceback", r"\bnan\b")
    ),
    "40-worker-killed": Printed((r"rc 4", r"worker .* ended with code -9", r"result\.json")),
    "60-env-default": Printed((r"(?s)token: \$\{SP_UNSET:-t\}.*?rc 0", r"(?s)token: \$SP_SET.*?rc 2")),
    "61-yaml-types": Printed(("quote it", "stands twice"), ("Traceback", r"rc 0")),
    "64-interrupted-check": Printed((r"INT: rc 130, files: .*report\.json", r"TERM: rc 143, files: .*report\.json")),
    "66-report-cannot-be-written": Printed(
        ("Read-only file system", r"\d+ polls", "File too large", "published clients work")
    ),
    "69-proxies": Printed((r"check used the proxy: [1-9]", r"load used the proxy: [1-9]")),
    "71-locale": Printed((r"check \[A=b\] rc 1", r"load  \[A=b\] rc 1"), (r"traceback [1-9]", r"check \[.*\] rc [^1]")),
    "72-two-runs-one-seed": Printed((r"run 1 rc 0", r"run 2 rc 0")),
    "73-strict-ca": Printed(
        (r"(?s)PYTHONPATH=py.*published clients work.*(PASS|INCONCLUSIVE)",), ("Traceback", "UNREACHABLE")
    ),
}
