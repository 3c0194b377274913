"""The summary of a run for a terminal, or for a log where there is none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from sendpoll.conformance.http.curl import fold
from sendpoll.conformance.results import view
from sendpoll.conformance.results.report_json import ExchangeTold, Report, ResponseTold, Row
from sendpoll.conformance.rules.verdict import RunVerdict, Verdict
from sendpoll.core.reports.console import Printer
from sendpoll.core.text.safe import one_line, visible
from sendpoll.core.text.units import counted
from sendpoll.schemas.catalogue import CLIENTS, Subject

_SHOWN_KINDS = 3
_SHOWN_EXCHANGES = 2
"""Of one violation: the two that contradict each other, where it takes two."""
_BODY_CHARACTERS = 400
_CURL_CHARACTERS = 2000
_STYLES = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.INCONCLUSIVE: "magenta",
    Verdict.NOT_RECORDED: "yellow",
    Verdict.NOT_EXERCISED: "yellow",
    Verdict.NOT_APPLICABLE: "dim",
    RunVerdict.CONFORMANT: "bold green",
    RunVerdict.NONCONFORMANT: "bold red",
    RunVerdict.UNDETERMINED: "bold yellow",
}


def print_summary(report: Report, stream: TextIO, folder: Path | None = None) -> None:
    """Write the summary of a run to a stream; `folder` is where the other renderings are, if they were written.

    Colours where the stream is a terminal and NO_COLOR is not set; 80 columns of plain text elsewhere.
    """
    _Summary(report, Printer(stream)).show(folder)


class _Summary:
    def __init__(self, report: Report, printer: Printer) -> None:
        self._report = report
        self._out = printer

    def show(self, folder: Path | None) -> None:
        failed = view.rows_with(self._report, Verdict.FAIL)
        for row in sorted(failed, key=lambda row: row["level"] != "MUST"):
            if not view.is_known(self._report, row["id"]):
                self._failure(row)
        self._reasons(Verdict.INCONCLUSIVE)
        self._reasons(Verdict.NOT_RECORDED)
        self._reasons(Verdict.NOT_EXERCISED)
        self._reasons(Verdict.NOT_APPLICABLE)
        self._baseline()
        self._counts()
        self._facts(folder)
        self._unfinished()
        self._out.line("")
        excused = self._report["verdict"] == RunVerdict.NONCONFORMANT and self._report["exit_code"] == 0
        style = "bold yellow" if excused else _STYLES[RunVerdict(self._report["verdict"])]
        self._out.line((visible(self._report["summary"]), style))

    def _unfinished(self) -> None:
        unfinished = self._report.get("unfinished")
        if unfinished:
            self._out.line("")
            self._out.line(f"{counted(len(unfinished['rows']), 'row')} left; what judges them:")
            self._out.line(("    " + visible(unfinished["command"]), "cyan"))

    # ---- failures ----

    def _failure(self, row: Row) -> None:
        consequence = "" if view.fails_run(self._report, row) else " (does not fail this run)"
        self._out.rule(f"FAILED {row['id']} {row['level']}{consequence}", _STYLES[Verdict.FAIL])
        if causes := view.causes(self._report, row):
            self._out.block("follows", f"from {' and '.join(causes)}, in all likelihood: mend that first")
        self._out.block("expected", row["title"])
        for number, (letter, told) in enumerate(row["breaks"].items()):
            self._out.block("breaks" if number == 0 else "", f"{CLIENTS.get(letter, letter)}: {told}")
        kinds = view.kinds(row["violations"])
        for kind in kinds[:_SHOWN_KINDS]:
            self._kind(kind)
        hidden = len(kinds) - _SHOWN_KINDS
        if hidden > 0:
            self._out.block("", f"... and {counted(hidden, 'other kind')} of violation in report.json")
        for label, text in self._again(row["id"]):
            self._out.block(label, text)
        self._out.line("")

    def _again(self, requirement: str) -> Iterator[tuple[str, str]]:
        """How to see the same once more."""
        if view.subject(self._report) is Subject.SERVER:
            yield "seed", f"{self._report['seed']}; more: sendpoll explain {requirement}"
        elif view.subject(self._report) is Subject.TRAFFIC:
            yield "more", f"sendpoll explain {requirement}"
        else:
            yield "by hand", f"sendpoll client --only {requirement} --serve"
            yield "", f"more: sendpoll explain {requirement}"

    def _kind(self, kind: view.Kind) -> None:
        alike = ", with other values too" if kind.others else ""
        times = f" ({kind.count} times{alike})" if kind.count > 1 else ""
        self._out.block("observed", one_line(kind.first["sentence"], _BODY_CHARACTERS) + times, style="red")
        for exchange in kind.first["exchanges"][:_SHOWN_EXCHANGES]:
            self._exchange(exchange)

    def _exchange(self, exchange: ExchangeTold) -> None:
        request, response = exchange["request"], exchange["response"]
        when = f"at {exchange['at_s']:.2f} s, took {exchange['took_s']:.3f} s"
        self._out.block(f"#{exchange['number']}", f"{request['method']} {one_line(request['target'], 300)} ({when})")
        if request["body"]:
            self._out.block("  sent", one_line(request["body"], _BODY_CHARACTERS))
        if response is None:
            self._out.block("  got", exchange["failure"])
        else:
            status = f"{response['status']} {one_line(response['reason'], 60)}".strip()
            of = f" ({response['body_bytes']} bytes)"
            failure = f"; {exchange['failure']}" if exchange["failure"] else ""
            self._out.block("  got", f"{status}, {_content_type(response)}{of}{failure}")
            if response["body"]:
                self._out.block("", one_line(response["body"], _BODY_CHARACTERS))
        if "curl" in exchange:
            self._curl(exchange["curl"])

    def _curl(self, command: str) -> None:
        if len(command) > _CURL_CHARACTERS:
            self._out.block("", f"the curl command has {len(command)} characters; report.json holds it")
            return
        for line in fold(visible(command), self._out.width - 4):
            self._out.line(("    " + line, "cyan"))

    # ---- all other rows ----

    def _reasons(self, verdict: Verdict) -> None:
        rows = view.rows_with(self._report, verdict)
        if not rows:
            return
        self._out.rule(view.LABELS[verdict].upper(), _STYLES[verdict])
        for reason, ids in _grouped(rows):
            if len(ids) == 1:
                self._out.block(ids[0], reason)
            else:
                self._out.block(f"{len(ids)} rows", reason)
                self._out.block("", ", ".join(ids))
        self._out.line("")

    def _baseline(self) -> None:
        baseline = self._report.get("baseline")
        if baseline is None:
            return
        self._out.rule("BASELINE")
        for requirement in baseline["known"]:
            self._out.block(requirement, f"known: {view.known_reason(self._report, requirement) or 'fails as listed'}")
        for requirement in baseline["stale"]:
            self._out.block(requirement, "stale: it passes now; take its row out of the baseline", style="red")
        for requirement in baseline["expired"]:
            self._out.block(requirement, "expired: mend it, or give its row a later date and say why", style="red")
        self._out.line("")

    def _counts(self) -> None:
        self._out.rule("SUMMARY")
        self._out.line(("                  MUST  SHOULD", "dim"))
        for verdict, levels in view.counts(self._report).items():
            style = _STYLES[Verdict(verdict)] if any(levels.values()) else "dim"
            numbers = f"{levels['MUST']:>6}  {levels['SHOULD']:>6}"
            self._out.line((f"  {view.LABELS[verdict]:<14}{numbers}", style))
        for letter, ids in view.broken_clients(self._report).items():
            if ids:
                self._out.block("", f"{CLIENTS[letter]} breaks on {', '.join(ids)}", indent=0)
        self._out.line("")

    def _facts(self, folder: Path | None) -> None:
        report = self._report
        left: Mapping[str, Any] = report.get("left_behind", {})
        self._out.block("client" if view.subject(report) is Subject.CLIENT else "target", view.target(report), indent=0)
        self._out.block("run", view.run_facts(report), indent=0)
        if "fault" in report:
            self._out.block("fault", report["fault"]["sentence"], indent=0)
        for number, trait in enumerate(report.get("traits", [])):
            shown = f" ({one_line(trait['evidence'], 200)})" if trait["evidence"] else ""
            self._out.block("kind" if number == 0 else "", f"{trait['sentence']}{shown}", indent=0)
        behind = ", ".join(counted(len(ids), kind[:-1]) for kind, ids in left.items() if ids)
        if behind:
            where = "listed in report.json" if folder is not None else "which --report-dir lists"
            self._out.block("left", f"{behind} on the server, {where}", indent=0)
        for note in report["notes"]:
            self._out.block("note", one_line(note, _BODY_CHARACTERS), indent=0)
        if folder is not None:
            self._out.block("report", str(folder / "report.html"), indent=0)


def _content_type(response: ResponseTold) -> str:
    found = (value for name, value in response["headers"] if name.lower() == "content-type")
    return one_line(next(found, "no Content-Type"), 60)


def _grouped(rows: Iterable[Row]) -> list[tuple[str, list[str]]]:
    """Reasons with the rows that share them."""
    groups: dict[str, list[str]] = {}
    for row in rows:
        groups.setdefault(one_line(row["reason"] or "no reason was recorded", _BODY_CHARACTERS), []).append(row["id"])
    return list(groups.items())
