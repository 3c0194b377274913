"""Which series is a resource: by the names that exporters give it."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from sendpoll.load.observe.exposition import parse_page
from sendpoll.load.observe.figures import Figure, figures_of
from sendpoll.load.observe.observer import Reading
from sendpoll.load.observe.saturation import Course, shortages, told
from sendpoll.load.observe.timeline import Grid

SECONDS = 60
Page = Callable[[int], str]
Said = tuple[list[str], str]


def said(page: Page, source: str = "http://agent.test/metrics", seconds: int = SECONDS) -> Said:
    """What is found on a page that is read each second, and the sentence; a user a second comes."""
    columns: dict[object, list[float]] = {}
    for at in range(seconds):
        for series, value in parse_page(page(at)).items():
            columns.setdefault(series, []).append(value)
    reading = Reading(source, [at + 0.5 for at in range(seconds)], columns, {})  # type: ignore[arg-type]  # keys of any kind
    grid = Grid(1.0, seconds)
    figures: list[Figure] = figures_of(reading, grid)
    found = shortages(figures, Course(grid, [(float(at), float(at + 1)) for at in range(seconds)]))
    return [one.resource for one in found], told(found, figures)


def counter(name: str, value: float) -> str:
    return f"# TYPE {name} counter\n{name} {value}\n"


def gauge(name: str, value: float) -> str:
    return f"# TYPE {name} gauge\n{name} {value}\n"


def full_from(at: int, since: int, idle: float, busy: float) -> float:
    """A counter that grows by `idle` a second, and by `busy` from a second on."""
    return idle * min(at, since) + busy * max(0, at - since)


@pytest.mark.parametrize(
    ("page", "resource", "part"),
    [
        (
            lambda at: counter("process_cpu_seconds_total", full_from(at, 33, 0.1, 0.98)),
            "cpu",
            "CPU: 98% of one core from 36 users on, all that one thread can use",
        ),
        (
            lambda at: counter("process_cpu_seconds_total", 3.9 * at) + gauge("go_sched_gomaxprocs_threads", 4),
            "cpu",
            "97.5% of 4 cores",
        ),
        (
            lambda at: gauge("process_open_fds", min(1020, 100 + 40 * at)) + gauge("process_max_fds", 1024),
            "files",
            "open files: 1,020 of 1,024 from 24 users on",
        ),
        (
            lambda at: gauge("vllm:num_requests_waiting", max(0, at - 7)) + gauge("vllm:num_requests_running", 8),
            "queue",
            "the queue vllm:num_requests_waiting does not empty from 10 users on",
        ),
        (lambda at: gauge("vllm:gpu_cache_usage_perc", min(1.0, at / 20)), "share", "vllm:gpu_cache_usage_perc: "),
        (lambda at: gauge("DCGM_FI_DEV_GPU_UTIL", min(100, 10 * at)), "share", "DCGM_FI_DEV_GPU_UTIL: "),
        (
            lambda at: gauge("hikaricp_connections_active", min(10, at)) + gauge("hikaricp_connections_max", 10),
            "pool",
            "hikaricp_connections_active: 10 of 10",
        ),
        (lambda at: gauge("process_resident_memory_bytes", 5e7 + 1e6 * at), "memory", "by 60 MB a minute"),
        (
            lambda at: "".join(
                f'node_cpu_seconds_total{{cpu="{core}",mode="{mode}"}} {share * at}\n'
                for core in (0, 1)
                for mode, share in (("idle", 0.02), ("user", 0.98))
            ),
            "share",
            "node_cpu_seconds_total: 98%",
        ),
    ],
)
def test_what_is_short_is_named(page: Page, resource: str, part: str) -> None:
    found, sentence = said(page)
    assert found[0] == resource
    assert part in sentence


@pytest.mark.parametrize(
    "page",
    [
        lambda at: counter("process_cpu_seconds_total", 0.5 * at),
        lambda at: counter("process_cpu_seconds_total", full_from(at, 58, 0.1, 1.0)),
        lambda at: gauge("process_open_fds", 500 + at) + gauge("process_max_fds", 1024),
        lambda _: gauge("nginx_connections_waiting", 40),
        lambda at: gauge("requests_waiting", int(at % 17 == 0)),
        lambda _: gauge("gpu_prefix_cache_hit_perc", 0.99),
        lambda at: gauge("process_resident_memory_bytes", 5e7 + 4e7 * (1 - math.exp(-at / 4))),
        lambda at: gauge("process_resident_memory_bytes", 5e7 + 3e7 * (at % 20) / 20),
        lambda at: gauge("go_memstats_last_gc_time_seconds", 1.7e9 + at),
        lambda _: 'x_bucket{le="1"} 3\nx_bucket{le="+Inf"} 4\nx_sum 5\nx_count 4\n',
    ],
)
def test_what_is_not_short_is_not_named(page: Page) -> None:
    found, sentence = said(page)
    assert found == []
    assert sentence.startswith("nothing that was watched gave")


def test_a_limit_that_is_met_explains_a_queue_and_stands_before_it() -> None:
    found, _ = said(lambda at: gauge("requests_waiting", at) + counter("process_cpu_seconds_total", at))
    assert found == ["cpu", "queue"]


def test_a_counter_that_begins_anew_is_no_negative_rate() -> None:
    grid = Grid(1.0, 3)
    assert grid.rate([0.0, 1.0, 2.0, 3.0], [10.0, 20.0, 4.0, 9.0]) == [10.0, 4.0, 5.0]


def test_a_page_keeps_what_is_a_number_and_no_bucket() -> None:
    text = '# TYPE a histogram\na_bucket{le="1"} 2\na_sum 3\na_count 2\n# TYPE b_info gauge\nb_info{version="1"} 1\n'
    kept = {(series.metric, series.kind): value for series, value in parse_page(text).items()}
    assert kept == {("a_sum", "counter"): 3.0, ("a_count", "counter"): 2.0, ("b_info", "gauge"): 1.0}
    with pytest.raises(ValueError, match=r".+"):
        parse_page("<html>this is no page of numbers</html>")
