"""What real tools recorded: Chromium through Playwright, and mitmproxy, of right servers and of mutants."""

from __future__ import annotations

import importlib.util

import pytest

from sendpoll.schemas.catalogue import Level, Subject, load_catalogue
from tests.conformance.recordings.recorded_files import FILES, RECORDINGS, Recording
from tests.conformance.recordings.talk import failed
from tests.conformance.recordings.test_reading import report_on

_MUST = {row.id for row in load_catalogue(Subject.TRAFFIC).rows if row.level is Level.MUST}


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda one: one.file)
def test_a_recording_shows_what_the_server_did(recording: Recording) -> None:
    if recording.tool == "mitmproxy" and importlib.util.find_spec("mitmproxy") is None:
        pytest.skip("mitmproxy is not installed (what it pins goes with our libraries from Python 3.12 on)")
    report = report_on(FILES / recording.file)
    assert failed(report) & _MUST == recording.fails
    assert report["fault"]["whose"] == ("server" if recording.fails else "none")
    assert report["requests"] >= 3
