from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from sendpoll.load.observe.process_tree import CPU, FILES, FILES_LIMIT, MEMORY, PROCESSES, THREAD, ProcessTree
from sendpoll.load.observe.sources import ObserveError, metrics_url, name_of


def test_a_tree_is_the_process_and_what_it_started() -> None:
    spin = "import time\nwhile True: pass"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {spin!r}])"
    with subprocess.Popen([sys.executable, "-c", program], start_new_session=True) as child:
        try:
            tree = ProcessTree(child.pid)
            while tree.read(time.monotonic())[PROCESSES] < 2:
                time.sleep(0.05)
            before = tree.read(time.monotonic())
            time.sleep(1.0)
            after = tree.read(time.monotonic())
        finally:
            os.killpg(child.pid, 9)
    assert after[CPU] > before[CPU]
    assert after[THREAD] > 0.8
    assert after[MEMORY] > 1e6
    assert 0 < after[FILES] < after[FILES_LIMIT]
    with pytest.raises(ObserveError, match="has ended"):
        tree.read(time.monotonic())


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("http://h:9100", "http://h:9100/metrics"),
        ("https://h/", "https://h/metrics"),
        ("http://h/stats?format=prometheus", "http://h/stats?format=prometheus"),
    ],
)
def test_a_bare_server_has_its_page_at_the_usual_place(given: str, asked: str) -> None:
    assert metrics_url(given) == asked


def test_a_name_holds_no_secret() -> None:
    assert name_of("http://me:secret@h:1/metrics?key=secret") == "http://h:1/metrics"
    for text in ("h:9100", "ftp://h", "http://", "http://h:x", "http://h/ä"):
        with pytest.raises(ObserveError, match="give the page"):
            metrics_url(text)
