"""Rows that ask more of a situation than that its expectation is met, or something else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from types import MappingProxyType

from sendpoll.conformance.client.judging.expectation import missed
from sendpoll.conformance.client.judging.observation import Judge, Misstep, Observation, SituationTally
from sendpoll.conformance.client.judging.traffic import made_up
from sendpoll.conformance.client.running.program import TELLS_OF_FAILURE, End
from sendpoll.conformance.client.serving.messages import Answer
from sendpoll.conformance.client.serving.right_api import chunk
from sendpoll.conformance.client.situations.played import REFUSAL
from sendpoll.conformance.client.situations.situation import WORKSPACE
from sendpoll.core.http.retry_after import is_date
from sendpoll.core.http.retry_after import retry_after as retry_after_seconds
from sendpoll.core.text.secrets import MASK, Redactor

_TWICE_A_SECOND = 0.48
"""Seconds between two polls, in the mean: half a second, less what clocks and timers lack."""
_EARLY = 0.05
_HALF = re.compile("[\ud800-\udfff]")
_STANDS_FOR_HALVES = re.compile(
    "[\ud800-\udfff]|\U0001f642|\ufffd|\\?|" + r"\\+u?d83d|\\+u?de42|\\x[0-9a-f]{2}", re.IGNORECASE
)
"""What may be shown for the halves of an emoji: themselves, the emoji, signs of replacement, escapes, raw bytes."""
_STEPS: Mapping[str, str] = MappingProxyType(
    {
        "createWorkspace": "workspace",
        "createConversation": "conversation",
        "sendMessage": "message|send",
        "pollTask": "task|poll|answer",
    }
)
"""Each call, and how its step is called in words or by its path."""


def expected(seen: Observation) -> SituationTally:
    """The row is about what the user has in the end."""
    wrong = missed(seen)
    return SituationTally(1, [Misstep(wrong, tuple(seen.served[-2:]))] if wrong else [])


def _says(seen: Observation, wrong: str) -> SituationTally:
    return SituationTally(1, [Misstep(wrong, tuple(seen.served[-1:]))] if wrong else [])


def rest_of_halves(seen: Observation) -> SituationTally:
    """C-5: the answer is shown, whatever became of its halves."""
    player = seen.situation.players[0]
    events = tuple(chunk(_HALF.sub("", text)) for text in player.chunks)
    whole = replace(seen.situation, players=(replace(player, events=events),))
    runs = [replace(ran, shown=_STANDS_FOR_HALVES.sub("", ran.shown)) for ran in seen.runs]
    return expected(replace(seen, situation=whole, runs=runs))


def error_event(seen: Observation) -> SituationTally:
    """C-6: what an error event says is shown."""
    said = next(event["data"]["message"] for event in seen.situation.players[0].events if event["type"] == "error")
    shown = " ".join(f"{seen.ran.shown} {seen.ran.words}".split())
    return _says(seen, "" if said in shown else f'It nowhere showed what the error event says: "{said}".')


def pace(seen: Observation) -> SituationTally:
    """C-14: polls are at most two a second."""
    polls = seen.calls("pollTask")
    if len(polls) < 4:
        return SituationTally()
    mean = (polls[-1].at - polls[0].at) / (len(polls) - 1)
    told = f"It polled each {mean:.2f} s, {1 / mean:.1f} times a second." if mean < _TWICE_A_SECOND else ""
    return _says(seen, told)


def failed_in_words(seen: Observation) -> SituationTally:
    """C-16: something that is shown or said tells of the failure."""
    told = TELLS_OF_FAILURE.search(f"{seen.ran.shown}\n{seen.ran.words}")
    return _says(seen, "" if told else "Nothing that it showed or said tells that the task failed.")


def message_as_given(seen: Observation) -> SituationTally:
    """C-18: the server has the message, character by character."""
    wanted = seen.situation.players[0].message
    sent = seen.calls("sendMessage")
    if not sent:
        return SituationTally()
    document = sent[0].request.said
    found = document.get("message") if isinstance(document, dict) else None
    if found == wanted:
        return SituationTally(1)
    told = f"It sent the message {found!a}" if isinstance(found, str) else "It sent a body without the message"
    return SituationTally(1, [Misstep(f"{told} in place of {wanted!a}.", (sent[0],))])


def given_conversation(seen: Observation) -> SituationTally:
    """C-21: the message goes into the conversation that was given, and no other is opened."""
    sent = seen.calls("sendMessage")
    if not sent:
        return SituationTally()
    document = sent[0].request.said
    used = document.get("conversation_id") if isinstance(document, dict) else None
    if used != seen.situation.conversation_id:
        given = seen.situation.conversation_id
        told = f"It sent its message into {used!r}, though SENDPOLL_CONVERSATION said {given!r}."
        return SituationTally(1, [Misstep(told, (sent[0],))])
    opened = seen.calls("createConversation")
    return SituationTally(
        1, [Misstep("It opened a conversation that nobody asked for.", tuple(opened[:1]))] if opened else []
    )


def retry_after(seen: Observation) -> SituationTally:
    """C-27: the next poll comes when Retry-After has passed."""
    polls = seen.calls("pollTask")
    tally = SituationTally()
    for refused, again in pairwise(polls):
        if refused.given is None or refused.given.status != 429:
            continue
        wanted = _asked_to_wait(seen, refused.given)
        if wanted is None:
            continue
        tally.exercised += 1
        waited = again.at - refused.at
        if waited < wanted - _EARLY:
            told = f"It polled again after {waited:.1f} s, where Retry-After asked for {wanted:g} s at least."
            tally.violations.append(Misstep(told, (refused, again)))
    return tally


def _asked_to_wait(seen: Observation, refusal: Answer) -> float | None:
    """For how many seconds a situation has a client wait; of a recorded answer, what its Retry-After says."""
    meant = next((fault.do["retry_after"] for fault in seen.situation.faults if "retry_after" in fault.do), None)
    if meant is not None:
        return float(meant)
    said = {name.lower(): value for name, value in refusal.headers}
    told = retry_after_seconds(said.get("retry-after"), date=said.get("date"))
    return told - 1.0 if told and is_date(said.get("retry-after")) else told  # dates are whole seconds


def gives_up(seen: Observation) -> SituationTally:
    """C-30: it ends by itself, says something, and the shell is told."""
    ran = seen.ran
    if ran.end is End.QUIET:
        return _says(seen, f"It still waited for an answer after {seen.patience:g} s (--patience).")
    if ran.end is not End.ITSELF:
        return _says(seen, f"It did not give up: {ran.end}.")
    if not (ran.words.strip() or ran.shown.strip()):
        return _says(seen, "It gave up without a word.")
    return _says(seen, missed(seen))


def refused(seen: Observation) -> SituationTally:
    """C-31: it ends with a non-zero exit code, and asks nothing of ids that it never got."""
    found = made_up(seen)
    if found is not None:
        told = f"It went on after the refusal, and asked for {found.request.path[:80]}."
        return SituationTally(1, [Misstep(told, (found,))])
    return expected(seen)


def names_the_step(seen: Observation) -> SituationTally:
    """C-32: words tell the step, and the status or what the server said."""
    said = f"{seen.ran.shown}\n{seen.ran.words}"
    broken = next((one for one in seen.served if one.given is not None and one.given.status >= 400), None)
    if broken is None or broken.given is None:
        return SituationTally()
    step = _STEPS.get(broken.request.call, "")
    # The workspace's name stands in many paths; where it is the step, the word does.
    lacks = [] if re.search(step, said.replace(f"workspaces/{WORKSPACE}", ""), re.IGNORECASE) else ["the step"]
    if str(broken.given.status) not in said and REFUSAL not in said:
        lacks.append("the status or the words of the server")
    return _says(seen, f"What it said does not tell {' nor '.join(lacks)}." if lacks else "")


def origin(seen: Observation) -> SituationTally:
    """C-33: the server that the redirect leads to never has the token."""
    hides = Redactor([seen.token])
    tally = SituationTally(exercised=1)
    for one in seen.elsewhere:
        if any(MASK in hides.text(value) for _, value in one.request.headers) or MASK in hides.text(one.request.target):
            tally.violations.append(Misstep("It sent the token to the server that the redirect leads to.", (one,)))
    return tally


OWN: Mapping[str, Judge] = MappingProxyType(
    {
        "C-5": rest_of_halves,
        "C-6": error_event,
        "C-14": pace,
        "C-16": failed_in_words,
        "C-18": message_as_given,
        "C-21": given_conversation,
        "C-27": retry_after,
        "C-30": gives_up,
        "C-31": refused,
        "C-32": names_the_step,
        "C-33": origin,
    }
)
"""Rows with a judge of their own; of all others, the situation's expectation tells."""
