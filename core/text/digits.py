"""Numbers as a sentence writes them."""

from __future__ import annotations


def three_digits(value: float) -> str:
    """As many digits as are known: 0.125, 9.75, 1,680; no exponent where people count."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
