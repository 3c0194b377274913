"""Values of `from` that no client sends on purpose: the forms on which parsers disagree, and what each may mean."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from hypothesis import strategies as st

from sendpoll.conformance.server.inputs.fuzzing import texts, visible_texts


@dataclass(frozen=True, slots=True)
class NegativeOffset:
    """A query that is no plain offset."""

    query: str
    means: int | None = None
    """The offset that it can be taken for; None where it is none at all."""
    of_clients: bool = False
    """Whether a published client comes to send it, when an answer before was at fault."""

    @property
    def probe(self) -> str:
        """What kind of probe it is."""
        return "from" if self.of_clients else "odd from"


def queries_of_clients(offset: int) -> tuple[NegativeOffset, ...]:
    """What clients send back of a `next_offset` that was absent, null, no integer literal or no number."""
    wrong = ("None", "null", "undefined", "", "true", "True", "NaN", "1e%2B21", "[object%20Object]")
    return (
        NegativeOffset(f"from={offset}.0", offset, of_clients=True),
        *(NegativeOffset(f"from={form}", of_clients=True) for form in wrong),
    )


def odd_queries(offset: int) -> tuple[NegativeOffset, ...]:
    """The forms in which a parser may find `offset`, and forms in which there is none; no client sends these."""
    digits = str(offset)
    lenient = (
        f"%2B{digits}",
        f"+{digits}",
        f"%20{digits}",
        f"{digits}%20",
        f"{digits}%0A",
        f"0{digits}",
        f"{digits}e0",
        "".join(quote(chr(0x0660 + int(digit))) for digit in digits),
        "".join(quote(chr(0xFF10 + int(digit))) for digit in digits),
    )
    wrong = (
        "-1",
        f"-{digits}1",
        "abc",
        "0x5",
        "5,5",
        "1.5",
        "Infinity",
        "%00",
        f"{digits}%00",
        "%ZZ",
        "%ff%fe",
        "%F0%9F%8E%89",
        "%C2%B2",  # digits to isdigit() of Python, and none to int()
        "%E2%91%A0",
        "%E2%85%A7",
        "[0]",
        "1;drop",
        "-0.0",
        "9" * 400 + "x",
    )
    return (
        *(NegativeOffset(f"from={form}", offset) for form in lenient),
        *(NegativeOffset(f"from={form}") for form in wrong),
    )


def fuzzed_queries() -> st.SearchStrategy[str]:
    """Queries with a `from` of any kind: integers of every size and sign, text of any alphabet, repeated parameters."""
    integers = st.one_of(
        st.integers(),
        st.integers(-(2**70), 2**70),
        st.sampled_from([2**31 - 1, 2**31, 2**53, 2**63 - 1, 2**63, 2**64, -(2**63), 10**30]),
    ).map(str)
    escaped = texts(40).map(lambda text: quote(text, safe=""))
    raw = visible_texts(40, without="#")
    long = st.integers(1, 4000).map(lambda count: "7" * count)
    values = st.one_of(integers, escaped, raw, long)
    once = values.map(lambda value: f"from={value}")
    twice = st.tuples(values, values).map(lambda pair: f"from={pair[0]}&from={pair[1]}")
    return st.one_of(once, once, twice, raw)
