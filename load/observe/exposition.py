"""A page in the text format of Prometheus, as plain numbers by the name of their series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from prometheus_client.parser import text_string_to_metric_families

SeriesKind = Literal["counter", "gauge"]
MAX_SERIES: Final = 3000
"""Of one page: a large database exporter has some 2,000."""
_DISTRIBUTIONS: Final = frozenset({"histogram", "summary"})
_TYPES_APART: Final = frozenset({"info", "stateset"})


@dataclass(frozen=True, slots=True)
class Series:
    """One series of a page."""

    metric: str
    """The name of the sample, such as `process_cpu_seconds_total`."""
    labels: tuple[tuple[str, str], ...]
    kind: SeriesKind


def parse_page(text: str) -> Mapping[Series, float]:
    """The numbers of a page. Raises ValueError where it is not in the format.

    Of a distribution its count and its sum are kept: its buckets are many, and say nothing of a resource.
    """
    found: dict[Series, float] = {}
    for family in text_string_to_metric_families(text):
        if family.type in _TYPES_APART:
            continue
        for sample in family.samples:
            if sample.name.endswith(("_bucket", "_created")) or "quantile" in sample.labels:
                continue
            counted = family.type in {"counter", *_DISTRIBUTIONS} or sample.name.endswith("_total")
            series = Series(sample.name, tuple(sorted(sample.labels.items())), "counter" if counted else "gauge")
            found[series] = float(sample.value)
            if len(found) >= MAX_SERIES:
                return found
    return found
