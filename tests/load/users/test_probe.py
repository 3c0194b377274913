"""What a generator notices of its own process."""

from __future__ import annotations

import time
from pathlib import Path

import gevent
import pytest

from sendpoll.load.users.probe import ClockProbe, LagProbe, ProcessProbe
from sendpoll.load.users.throttling import Throttling


def test_a_loop_that_was_blocked_counts_for_every_moment_that_it_missed() -> None:
    lags: list[float] = []
    probe = LagProbe(lags.append)
    gevent.sleep(0.06)
    time.sleep(0.32)  # nobody can be woken meanwhile
    gevent.sleep(0.06)
    probe.stop()
    late = sorted((lag for lag in lags if lag > 0.04), reverse=True)
    assert len(late) >= 4
    assert late[0] - late[1] == pytest.approx(0.05, abs=0.01)


def test_a_process_knows_what_it_used_since_it_was_last_asked() -> None:
    probe = ProcessProbe(Throttling())
    ends = time.process_time() + 0.05
    while time.process_time() < ends:
        sum(range(1000))
    used = probe.take()
    assert used.cpu_seconds >= 0.05
    assert used.seconds >= used.cpu_seconds * 0.9
    assert probe.take().cpu_seconds < used.cpu_seconds


def group(root: Path, membership: str, stats: dict[str, str]) -> Path:
    """A machine whose process is in the control groups of `membership`, with `cpu.stat` in some folders."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(membership)
    for folder, text in stats.items():
        (root / "sys/fs/cgroup" / folder).mkdir(parents=True, exist_ok=True)
        (root / "sys/fs/cgroup" / folder / "cpu.stat").write_text(text)
    return root


@pytest.mark.parametrize(
    ("membership", "stats", "seconds"),
    [
        ("0::/\n", {".": "usage_usec 5\nnr_throttled 3\nthrottled_usec 2500000\n"}, 2.5),
        ("0::/a/b\n", {"a/b": "throttled_usec 1000000\n", "a": "throttled_usec 3000000\n"}, 3.0),
        ("0::/a/b\n", {"a/b": "usage_usec 5\n"}, 0.0),
        ("4:cpu,cpuacct:/x\n3:memory:/y\n", {"cpu,cpuacct/x": "throttled_time 4000000000\n"}, 4.0),
        ("1:cpu:/\n", {"cpu": "throttled_time 500000000\n"}, 0.5),
        ("3:memory:/y\n", {"memory/y": "throttled_time 500000000\n"}, 0.0),
    ],
)
def test_the_kernel_tells_how_long_it_held_a_process_back(
    tmp_path: Path, membership: str, stats: dict[str, str], seconds: float
) -> None:
    throttling = Throttling(group(tmp_path, membership, stats))
    assert throttling.seconds() == seconds
    throttling.close()
    assert throttling.seconds() == 0.0


def test_a_machine_without_control_groups_holds_nobody_back(tmp_path: Path) -> None:
    assert Throttling(tmp_path).seconds() == 0.0


def test_throttled_time_is_counted_from_the_last_look(tmp_path: Path) -> None:
    root = group(tmp_path, "0::/\n", {".": "throttled_usec 1000000\n"})
    probe = ProcessProbe(Throttling(root))
    (root / "sys/fs/cgroup/cpu.stat").write_text("throttled_usec 4000000\n")
    assert probe.take().throttled_seconds == 3.0
    assert probe.take().throttled_seconds == 0.0


@pytest.mark.parametrize(
    ("wall", "steady", "sentence"),
    [
        (1.0, 1.0, None),
        (1.4, 1.0, None),
        (3601.0, 1.0, "the wall clock of this machine was set 1 h ahead"),
        (-59.0, 1.0, "the wall clock of this machine was set 60.0 s back"),
    ],
)
def test_a_wall_clock_that_was_set_is_noticed_once(wall: float, steady: float, sentence: str | None) -> None:
    now = [1000.0, 5.0]
    probe = ClockProbe(lambda: now[0], lambda: now[1])
    assert probe.take() is None
    now[0], now[1] = now[0] + wall, now[1] + steady
    assert probe.take() == sentence
    assert probe.take() is None
