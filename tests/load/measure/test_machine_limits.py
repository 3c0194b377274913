from __future__ import annotations

import errno
import os
import resource
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sendpoll.load.measure.machine_limits import Limit, MachineLimits, limit_of, machine_limits


@pytest.mark.parametrize(
    ("error", "before", "after"),
    [
        (OSError(errno.EMFILE, "x"), Limit.OPEN_FILES, Limit.OPEN_FILES),
        (OSError(errno.ENFILE, "x"), Limit.ALL_OPEN_FILES, Limit.ALL_OPEN_FILES),
        (OSError(errno.ENOBUFS, "x"), Limit.MEMORY, Limit.MEMORY),
        (OSError(errno.ENOMEM, "x"), Limit.MEMORY, Limit.MEMORY),
        (OSError(errno.EADDRNOTAVAIL, "x"), None, Limit.LOCAL_PORTS),
        (socket.gaierror(socket.EAI_AGAIN, "x"), None, Limit.NAME_LOOK_UP),
        (socket.gaierror(socket.EAI_MEMORY, "x"), Limit.MEMORY, Limit.MEMORY),
        (socket.gaierror(socket.EAI_NONAME, "x"), None, None),
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), None, None),
        (ConnectionResetError(errno.ECONNRESET, "x"), None, None),
        (TimeoutError(errno.ETIMEDOUT, "x"), None, None),
        (OSError(errno.EHOSTUNREACH, "x"), None, None),
        (OSError("no number"), None, None),
    ],
)
def test_an_error_is_this_machines_or_it_is_not(error: OSError, before: Limit | None, after: Limit | None) -> None:
    """An address or a name that cannot be had is the target's description, until a connection to it was there."""
    assert limit_of(error, has_connected=False) is before
    assert limit_of(error, has_connected=True) is after


@pytest.mark.parametrize("limit", Limit)
def test_each_limit_says_its_size_and_what_mends_it(limit: Limit) -> None:
    told = MachineLimits(open_files=1024, local_ports=41, cpus=None).sentence(limit)
    size = {Limit.OPEN_FILES: "1,024", Limit.LOCAL_PORTS: "41"}.get(limit, "")
    assert size in told
    assert "; " in told
    assert "{" not in told


def machine(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_the_kernels_files_are_read(tmp_path: Path) -> None:
    ports = {"proc__sys__net__ipv4__ip_local_port_range": "40000\t40040\n"}
    assert machine_limits(machine(tmp_path / "a", **ports)).local_ports == 41
    assert machine_limits(machine(tmp_path / "b", sys__fs__cgroup__cpu_dot_max="150000 100000\n")).cpus == 1.5
    assert machine_limits(machine(tmp_path / "c", sys__fs__cgroup__cpu_dot_max="max 100000\n")).cpus is None
    old = {"quota": "50000", "period": "100000"}
    files = {f"sys__fs__cgroup__cpu__cpu_dot_cfs_{name}_us": text for name, text in old.items()}
    assert machine_limits(machine(tmp_path / "d", **files)).cpus == 0.5
    bare = machine_limits(tmp_path / "nothing")
    assert (bare.local_ports, bare.cpus) == (None, None)
    assert bare.open_files == resource.getrlimit(resource.RLIMIT_NOFILE)[0]


@pytest.mark.parametrize(
    ("open_files", "ports", "connections"),
    [(1024, None, 960), (160, None, 120), (1_000_000, 28_000, 28_000), (None, 28_000, 28_000), (None, None, None)],
)
def test_some_files_are_spared_for_the_process_itself(
    open_files: int | None, ports: int | None, connections: int | None
) -> None:
    assert MachineLimits(open_files, ports, None).connections == connections


def test_the_soft_limit_is_raised_to_the_hard_one() -> None:
    program = (
        "import resource; from sendpoll.load.measure.machine_limits import raise_open_files;"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200)); raise_open_files();"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE)); raise_open_files()"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ)
    assert ended.stdout.strip() == "(200, 200)"
