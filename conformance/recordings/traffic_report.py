"""Makes the one report about traffic: rows of the server and of its clients, and whose fault it was."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sendpoll.conformance.recordings.judged_server import JudgedServer
from sendpoll.conformance.recordings.rows.client_rows import JUDGED, UNSEEN
from sendpoll.conformance.recordings.rows.recorded_facets import NEEDS
from sendpoll.conformance.recordings.rows.row_tallies import RowTally
from sendpoll.conformance.recordings.rows.server_rows import ORACLE_ROWS, PREFLIGHT_ROWS
from sendpoll.conformance.recordings.writing.masks import CREDENTIALS, Masks
from sendpoll.conformance.results.evidence import Evidence, Secrets
from sendpoll.conformance.results.judgement import SCHEMA_VERSION, Judgement, listed
from sendpoll.conformance.results.report_json import Report, Row, WhoseFault
from sendpoll.conformance.results.report_row import RowOutcome, row_told
from sendpoll.conformance.rules.rules import RULES
from sendpoll.conformance.rules.verdict import RunVerdict, Verdict, run_verdict
from sendpoll.core.text.units import counted
from sendpoll.schemas.catalogue import Level, Requirement, Subject, load_catalogue

OF_TRAFFIC = frozenset({*(rule.requirement for rule in RULES), *NEEDS, *ORACLE_ROWS, *PREFLIGHT_ROWS, *JUDGED})
"""The rows that traffic which only happened can break."""
_UNSEEN = "what a client showed its user stands in no recording: sendpoll client judges it"
_PROBED = {
    Subject.SERVER: "it takes requests that nobody happened to send: sendpoll check sends them",
    Subject.CLIENT: "it takes what servers and networks seldom do: sendpoll client plays it",
}
_UNHAPPENED = "nothing in the recording could have broken it"
_LISTED_CLIENTS = 5
NOTHING = "the recording holds no call of the API"


@dataclass(frozen=True, slots=True)
class Remarks:
    """What is told of a recording beside what it shows of a server."""

    notes: Sequence[str] = ()
    trouble: str = NOTHING
    """Why nothing can be said, where there is no call of the API."""


def build_report(judged: JudgedServer | None, judgement: Judgement, masks: Masks, told: Remarks) -> Report:
    """The report as JSON, following `files/report.json`; of a recording without calls, None is judged."""
    server = judged or JudgedServer("http://nowhere")
    evidence = Evidence(server.base, server.began, Secrets(masks, CREDENTIALS - {"authorization"}, masks.first))
    catalogue = load_catalogue(Subject.TRAFFIC)
    rows = [_row(row, server, evidence) for row in judgement.rows(catalogue)]
    verdict, code = run_verdict(
        [(Level(row["level"]), Verdict(row["verdict"])) for row in rows],
        level=judgement.level,
        strict=judgement.strict,
        whole=judgement.strict,
    )
    fault = _fault(rows, verdict, server, told)
    return {
        "schema_version": SCHEMA_VERSION,
        "subject": str(Subject.TRAFFIC),
        "tool": {"name": "sendpoll", "version": importlib.metadata.version("sendpoll")},
        "verdict": str(verdict),
        "fault": fault,
        "exit_code": int(code),
        "summary": evidence.text(_summary(rows, verdict, fault)),
        "level": judgement.level,
        "strict": judgement.strict,
        "target": {"url": _printable(evidence.text(server.base))},
        "started_at": datetime.fromtimestamp(server.began, UTC).isoformat(timespec="seconds"),
        "duration_s": round(max(0.0, server.ended - server.began), 3),
        "requests": server.calls,
        "messages_sent": server.messages,
        "requirements": rows,
        "excluded": [{"id": row.id, "reason": row.excluded} for row in catalogue.rows if row.excluded],
        "tasks": [
            evidence.task(shelved.task, server.server.messages.get(shelved.task.task_id, "")[:80] or "recorded")
            for shelved in server.server.concluded
        ],
        "notes": [evidence.text(note) for note in (*told.notes, *_notes(server))],
    }


def _printable(url: str) -> str:
    return "".join(sign if "!" <= sign <= "~" else "?" for sign in url)


# ---- rows ----


def _row(row: Requirement, server: JudgedServer, evidence: Evidence) -> Row:
    tallies = server.server.tallies if row.subject is Subject.SERVER else server.clients.tallies
    tally = tallies.rows.get(row.id, RowTally())
    verdict, reason = _verdict(row, tally)
    violations = evidence.violations(tally.told.violations, tally.told.broken - len(tally.told.violations))
    checks = ("traffic",) if verdict in {Verdict.PASS, Verdict.FAIL} else ()
    return row_told(row, RowOutcome(verdict, tally.told.exercised, violations, evidence.text(reason), checks))


def _verdict(row: Requirement, tally: RowTally) -> tuple[Verdict, str]:
    """What a row came to, and why where it says neither pass nor fail."""
    if tally.told.broken:
        return Verdict.FAIL, ""
    if tally.excused:
        return Verdict.INCONCLUSIVE, tally.excused[0]
    if tally.told.exercised:
        return Verdict.PASS, ""
    if tally.unrecorded:
        missing = " and ".join(f"the {facet}" for facet in sorted(tally.unrecorded))
        times = max(tally.unrecorded.values())
        return Verdict.NOT_RECORDED, f"{counted(times, 'exchange')} could have broken it; not recorded: {missing}"
    if row.id in UNSEEN:
        return Verdict.NOT_RECORDED, _UNSEEN
    return Verdict.NOT_EXERCISED, _UNHAPPENED if row.id in OF_TRAFFIC else _PROBED[row.subject]


# ---- whose fault ----


def _fault(rows: Sequence[Row], verdict: RunVerdict, server: JudgedServer, told: Remarks) -> WhoseFault:
    """Who broke a MUST row; SHOULD rows break nobody."""
    if not (server.calls or server.told) and verdict is RunVerdict.UNDETERMINED:
        return {"whose": "unknown", "sentence": f"Nobody can tell: {told.trouble}."}
    clients = {row.id for row in load_catalogue(Subject.CLIENT).rows}
    broken = [row["id"] for row in rows if row["verdict"] == Verdict.FAIL and row["level"] == Level.MUST]
    by_client = [row for row in broken if row in clients]
    by_server = [row for row in broken if row not in clients]
    if by_client and by_server:
        told_of = f"Both are at fault: the server breaks {listed(by_server)}, the client {listed(by_client)}."
        return {"whose": "both", "sentence": told_of}
    if by_server:
        return {"whose": "server", "sentence": _alone("server", by_server, "client")}
    if by_client:
        return {"whose": "client", "sentence": _alone("client", by_client, "server")}
    if verdict is RunVerdict.UNDETERMINED:
        return {"whose": "unknown", "sentence": "Nobody can tell: no row that was asked for was exercised."}
    return {"whose": "none", "sentence": "Nobody is at fault in what was recorded."}


def _alone(whose: str, broken: Sequence[str], other: str) -> str:
    kept = f"The {other} did what it must, as far as was recorded."
    return f"The {whose} is at fault: it breaks {listed(broken)}. {kept}"


def _summary(rows: Sequence[Row], verdict: RunVerdict, fault: WhoseFault) -> str:
    passed = sum(row["verdict"] == Verdict.PASS for row in rows)
    should = [row["id"] for row in rows if row["verdict"] == Verdict.FAIL and row["level"] == Level.SHOULD]
    beside = f" SHOULD rows that fail: {listed(should)}." if should else ""
    if fault["whose"] == "unknown":
        return fault["sentence"].replace("Nobody can tell", "Nothing can be said", 1)
    open_rows = len(rows) - passed - sum(row["verdict"] == Verdict.FAIL for row in rows)
    kept = f"{counted(passed, 'row')} kept, {open_rows} that this recording says nothing of"
    return f"{fault['sentence']}{beside}" + (f" ({kept}.)" if verdict is RunVerdict.CONFORMANT else "")


def _notes(server: JudgedServer) -> list[str]:
    notes = []
    names = server.clients.names
    if len(names) > 1:
        more = f" and {len(names) - _LISTED_CLIENTS} more" if len(names) > _LISTED_CLIENTS else ""
        shown = ", ".join(names[:_LISTED_CLIENTS])
        notes.append(f"The recording shows several clients, each judged by its own requests: {shown}{more}.")
    for tasks, why in (
        (server.disordered, "their times go back within the recording, so that their polls cannot be put in order"),
        (server.begun_before, "the recording begins in the middle of them"),
    ):
        if tasks:
            shown = listed([task[:80] for task in tasks])
            notes.append(f"Tasks whose polls were not held against each other, since {why}: {shown}.")
    if server.unplaced:
        notes.append(f"{counted(server.unplaced, 'poll')} came for tasks that had been let go for want of memory.")
    return notes
