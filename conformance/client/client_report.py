"""Makes the one report of a run out of what was observed and judged. Everything else renders it."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from sendpoll.conformance.client.judging.judge import Judged, by_row
from sendpoll.conformance.client.judging.observation import Misstep, Observation
from sendpoll.conformance.client.running.program import End, Ran
from sendpoll.conformance.client.serving.responder import Served
from sendpoll.conformance.client.situations.situation import CONTROL
from sendpoll.conformance.results import view
from sendpoll.conformance.results.judgement import SCHEMA_VERSION, Judgement, listed
from sendpoll.conformance.results.report_json import Report, Row
from sendpoll.conformance.results.report_row import RowOutcome, row_told
from sendpoll.conformance.rules.verdict import RunVerdict, Verdict, join, run_verdict
from sendpoll.core.text.secrets import Redactor
from sendpoll.schemas.catalogue import Level, Requirement, Subject, load_catalogue
from sendpoll.schemas.contract import JSON, own_words

_BODY = 2000
"""Characters that are kept of a body and of an output."""
_SHOWN_EXCHANGES = 40
"""Of one situation."""
_OF_A_VIOLATION = 3
_BROKEN_OFF: Mapping[str, str] = MappingProxyType(
    {
        "reset": "the connection was reset",
        "close": "the connection was closed before the whole answer",
        "hang": "it was never answered",
        "outage": "the server went away",
        "left": "the client left before the whole answer",
    }
)
"""How an answer was broken off, in words."""


@dataclass(frozen=True, slots=True)
class Run:
    """What is told of a run beside what was observed."""

    client: str
    token: str
    started_at: datetime
    duration: float
    """Seconds."""
    notes: Sequence[str] = ()


def build_report(observed: Sequence[Observation], judged: Sequence[Judged], run: Run, judgement: Judgement) -> Report:
    """The report as JSON, following `files/report.json`."""
    catalogue = load_catalogue(Subject.CLIENT)
    found, trouble = by_row(judged), _trouble(observed)
    place = {seen.situation.name: seen for seen in observed}
    rows = [_row(row, found.get(row.id, []), place, trouble) for row in judgement.rows(catalogue)]
    levels = [(Level(row["level"]), Verdict(row["verdict"])) for row in rows]
    verdict, code = run_verdict(levels, level=judgement.level, strict=judgement.strict)
    served = sum(len(seen.served) for seen in observed)
    report = {
        "schema_version": SCHEMA_VERSION,
        "subject": str(Subject.CLIENT),
        "tool": {"name": "sendpoll", "version": importlib.metadata.version("sendpoll")},
        "verdict": str(verdict),
        "exit_code": int(code),
        "summary": _summary(verdict, rows, run.client, trouble),
        "level": judgement.level,
        "strict": judgement.strict,
        "target": {"command": run.client},
        "started_at": run.started_at.astimezone(UTC).isoformat(timespec="seconds"),
        "duration_s": round(run.duration, 3),
        "requests": served,
        "messages_sent": sum(len(seen.calls("sendMessage")) for seen in observed),
        "requirements": rows,
        "excluded": judgement.excluded(catalogue),
        "situations": [_situation(seen, judged) for seen in observed],
        "notes": [*run.notes, *_left(observed)],
    }
    redacted: Report = Redactor([run.token]).data(report, own_words("files/report.json"))
    return redacted


def _trouble(observed: Sequence[Observation]) -> str:
    """Why nothing can be said at all; empty where something can."""
    control = next((seen for seen in observed if seen.situation.name == CONTROL), None)
    if control is None or control.served:
        return ""
    ran = control.ran
    said = ran.words.strip() or ran.shown.strip()
    last = f", and said: {said.splitlines()[-1][:300]}" if said else ", and said nothing"
    how = f"ended with exit code {ran.exit_code}" if ran.end is End.ITSELF else str(ran.end)
    return f"the client asked the server at SENDPOLL_URL for nothing: it {how.removeprefix('it ')}{last}"


def _row(row: Requirement, found: Sequence[Judged], place: Mapping[str, Observation], trouble: str) -> Row:
    verdict = join(one.verdict for one in found)
    reasons = [one.reason for one in found if one.verdict is verdict and one.reason]
    own = [one for one in found if row.id in place[one.situation].situation.judges]
    telling = [one.reason for one in own if one.verdict is verdict and one.reason]
    violations = [told for one in found for told in _violations(one, place[one.situation])]
    reason = trouble or next(iter([*telling, *reasons]), "" if found else "no situation of it was played")
    checks = [one.situation for one in (own or found) if one.verdict is not Verdict.NOT_EXERCISED]
    return row_told(row, RowOutcome(verdict, sum(one.exercised for one in found), violations, reason, checks))


def _violations(judged: Judged, seen: Observation) -> list[JSON]:
    """Those of one situation, a kind each, with the situation that it was seen in."""
    told = f"{judged.situation} ({seen.situation.title})"
    folded: dict[str, JSON] = {}
    for violation in judged.violations:
        entry = {"sentence": f"{violation.sentence} Situation: {told}.", "count": 0, "exchanges": []}
        kept = folded.setdefault(view.alike(violation.sentence), entry)
        kept["count"] += 1
        kept["exchanges"] = kept["exchanges"] or _shown_by(violation, seen)
    return list(folded.values())


def _shown_by(violation: Misstep, seen: Observation) -> list[JSON]:
    return [_exchange(one, _number(one, seen), seen) for one in violation.shown_by[:_OF_A_VIOLATION]]


def _number(served: Served, seen: Observation) -> int:
    return next((at for at, one in enumerate(seen.served, start=1) if one is served), len(seen.served) + 1)


def _exchange(served: Served, number: int, seen: Observation) -> JSON:
    request, given = served.request, served.given
    response = None
    if given is not None and served.ended not in {"reset", "hang", "outage"}:
        response = {
            "status": given.status,
            "reason": "",
            "headers": [list(pair) for pair in given.headers],
            "body": _trimmed(given.body),
            "body_bytes": len(given.body),
        }
    return {
        "number": number,
        "operation": request.call,
        "request": {
            "method": request.method,
            "target": request.target[:_BODY],
            "headers": [[name, value[:_BODY]] for name, value in request.headers[:60]],
            "body": _trimmed(request.body) if request.body else None,
        },
        "response": response,
        "failure": _BROKEN_OFF.get(served.ended, ""),
        "at_s": round(served.at - seen.started, 4),
        "took_s": round(max(0.0, served.done_at - served.at), 4),
    }


def _trimmed(body: bytes) -> str:
    return body[:_BODY].decode("utf-8", "backslashreplace")


def _situation(seen: Observation, judged: Sequence[Judged]) -> JSON:
    situation, kept = seen.situation, list(enumerate(seen.served, start=1))[:_SHOWN_EXCHANGES]
    mine = [one for one in judged if one.situation == situation.name]
    told = [one for one in mine if one.row in situation.judges or one.verdict is Verdict.FAIL]
    return {
        "name": situation.name,
        "title": situation.title,
        "verdicts": {one.row: str(one.verdict) for one in sorted(told, key=lambda one: one.verdict != Verdict.PASS)},
        "runs": [_ran(ran, player.message) for ran, player in zip(seen.runs, situation.players, strict=False)],
        "exchanges": [_exchange(served, number, seen) for number, served in kept],
        "unshown": len(seen.served) - len(kept),
    }


def _ran(ran: Ran, message: str) -> JSON:
    return {
        "message": message,
        "end": str(ran.end),
        "exit_code": ran.exit_code,
        "seconds": round(ran.seconds, 3),
        "shown": ran.shown[:_BODY],
        "words": ran.words[-_BODY:],
        "left": ran.left,
    }


def _left(observed: Sequence[Observation]) -> list[str]:
    left = sum(ran.left for seen in observed for ran in seen.runs)
    if not left:
        return []
    return [f"Processes that the client had left running when it ended, {left} in all, were ended."]


def _summary(verdict: RunVerdict, rows: Sequence[Row], client: str, trouble: str) -> str:
    failed = [row["id"] for row in rows if row["verdict"] == Verdict.FAIL]
    must = [row["id"] for row in rows if row["verdict"] == Verdict.FAIL and row["level"] == Level.MUST]
    if verdict is RunVerdict.CONFORMANT:
        beside = f"; it misses {len(failed)} SHOULD: {listed(failed)}" if failed else ""
        return f"{client} does what a client must{beside}."
    if verdict is RunVerdict.NONCONFORMANT:
        kind = "MUST" if must else "SHOULD"
        return f"{client} breaks {len(must or failed)} {kind}: {listed(must or failed)}."
    if trouble:
        return f"Nothing can be said of {client}: {trouble}."
    open_rows = [row["id"] for row in rows if row["verdict"] in {Verdict.NOT_EXERCISED, Verdict.INCONCLUSIVE}]
    return f"Nothing certain can be said of {client}: {len(open_rows)} rows were not exercised: {listed(open_rows)}."
