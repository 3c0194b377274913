"""The bad clients: each a right one but for one fault, with the row that it must fail and what fails with it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = Path(__file__).with_name("programs")
_INTERPRETERS: Mapping[str, str] = {".py": sys.executable, ".mjs": "node", ".sh": "bash"}


@dataclass(frozen=True, slots=True)
class BadClient:
    """One of them. What it gets wrong stands in its first line."""

    file: str
    requirement: str
    also: frozenset[str] = frozenset()
    """MUST rows that fail with it by necessity."""

    @property
    def name(self) -> str:
        return self.file.partition(".")[0].replace("_", "-")

    @property
    def path(self) -> Path:
        return PROGRAMS / self.file

    @property
    def command(self) -> list[str]:
        return [_INTERPRETERS[self.path.suffix], str(self.path)]

    @property
    def fault(self) -> str:
        """What it gets wrong, as its first words say."""
        lines = (line.strip('#/"! ').strip() for line in self.path.read_text(encoding="utf-8").splitlines())
        return next(line for line in lines if line and not line.startswith("usr/bin"))


def _bad(requirement: str, *files: str, also: str = "") -> list[BadClient]:
    return [BadClient(file, requirement, frozenset(also.split())) for file in files]


RIGHT = ([sys.executable, str(PROGRAMS / "base.py")], ["node", str(PROGRAMS / "base.mjs")])
"""What the bad ones are made of: right clients, on which no row may fail."""

BAD_CLIENTS: tuple[BadClient, ...] = (
    *_bad("C-1", "reversed_events.py", "cumulative.py", "repr_of_chunks.py", "once_more_at_the_end.py"),
    *_bad("C-1", "dots_in_the_answer.py", "promises_race.mjs"),
    *_bad("C-2", "latin_1.py", "ascii_alone.py", also="C-35"),
    *_bad("C-2", "bmp_alone.py", "unicode_by_halves.mjs"),
    *_bad("C-2", "escapes_as_they_are.py", also="C-3"),
    *_bad("C-3", "strips_chunks.py", "html_unescaped.py", "echo_of_the_answer.sh"),
    *_bad("C-4", "crashes_on_unknown_events.py", "shows_every_event.py", "writes_unknown_events_down.py"),
    *_bad("C-4", "undefined_texts.mjs"),
    *_bad("C-5", "strict_output.py"),
    *_bad("C-6", "hides_error_events.py"),
    *_bad("C-7", "counts_events.py", "always_from_the_start.py", also="C-8"),
    *_bad("C-7", "starts_at_one.py", "one_further.py", also="C-1"),
    *_bad("C-8", "fifteen_digits.py", "offsets_of_32_bits.mjs", also="C-7"),
    *_bad("C-9", "stops_on_an_empty_poll.py", also="C-10"),
    *_bad("C-10", "bored_by_silence.py"),
    *_bad("C-11", "waits_for_completed.py"),
    *_bad("C-12", "looks_at_the_status_first.py"),
    *_bad("C-13", "hammers.py"),
    *_bad("C-14", "five_times_a_second.py"),
    *_bad("C-15", "success_after_a_failure.py"),
    *_bad("C-16", "fails_in_silence.py"),
    *_bad("C-17", "posts_again.py", "posts_again_after_503.py", "posts_again_after_a_timeout.py"),
    *_bad("C-18", "ascii_message.py", "message_on_one_line.py"),
    *_bad("C-18", "pasted_json.sh", also="C-38"),
    *_bad("C-19", "never_ensures.py", "ensures_too_late.py", also="C-20"),
    *_bad("C-20", "small_letters.py", "ids_of_36.py"),
    *_bad("C-21", "conversation_of_its_own.py", "one_conversation_too_many.py"),
    *_bad("C-22", "state_in_one_file.py", also="C-7"),
    *_bad("C-23", "busy_is_fine.py"),
    *_bad("C-24", "dies_of_a_reset.py"),
    *_bad("C-24", "from_the_start_after_a_break.py", also="C-7 C-25"),
    *_bad("C-25", "dies_of_a_cut.py", "shows_what_came.py"),
    *_bad("C-26", "dies_of_429.py"),
    *_bad("C-27", "no_look_at_retry_after.py"),
    *_bad("C-28", "dies_of_5xx.py", "shows_error_pages.py"),
    *_bad("C-29", "one_try_more.py"),
    *_bad("C-30", "no_timeout.py", "gives_up_in_silence.py"),
    *_bad("C-31", "success_after_a_refusal.py", also="C-23"),
    *_bad("C-31", "unhandled.mjs"),
    *_bad("C-31", "swallows_errors.mjs", also="C-15 C-23"),
    *_bad("C-32", "says_nothing_of_a_refusal.py"),
    *_bad("C-33", "follows_with_the_token.py", "location_trusted.sh"),
    *_bad("C-34", "token_in_the_url.py", "prints_its_headers.py"),
    *_bad("C-35", "length_alone.py", also="C-25"),
    *_bad("C-35", "decodes_pieces.py"),
    *_bad("C-36", "offers_what_it_cannot.py"),
    *_bad("C-37", "no_way_back.py", also="C-24"),
    *_bad("C-38", "no_media_type.py"),
    *_bad("C-39", "no_ipv6.py"),
)
BY_NAME = {bad.name: bad for bad in BAD_CLIENTS}
