from __future__ import annotations

import pytest

from sendpoll.core.text.digits import three_digits


@pytest.mark.parametrize(
    ("value", "written"), [(0, "0"), (0.1254, "0.125"), (9.754, "9.75"), (1680.4, "1,680"), (123_456.7, "123,457")]
)
def test_a_count_is_written_without_an_exponent(value: float, written: str) -> None:
    assert three_digits(value) == written
