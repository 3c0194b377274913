"""Content codings: every member of a gzip body, nothing behind it, bounds, and which of them were asked for."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from sendpoll.core.http.coding import UndecodableError, behind_first_member, decode, unoffered

TEXT = "你好 🎉".encode() * 50
LIMIT = 100_000
CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@given(st.lists(st.binary(max_size=2000), min_size=1, max_size=20))
def test_a_gzip_body_of_many_members_is_one_text(parts: list[bytes]) -> None:
    assert decode(b"".join(map(gzip.compress, parts)), "gzip", LIMIT) == b"".join(parts)


@given(st.lists(st.binary(max_size=2000), min_size=1, max_size=5))
def test_what_stands_behind_the_first_member_is_counted(parts: list[bytes]) -> None:
    body = b"".join(map(gzip.compress, parts))
    assert behind_first_member(body, "gzip", LIMIT) == sum(map(len, parts[1:]))


def _flushed(body: bytes) -> bytes:
    """One member, flushed in its middle as servers do that send what they have."""
    packer = zlib.compressobj(wbits=31)
    return packer.compress(body[:50]) + packer.flush(zlib.Z_SYNC_FLUSH) + packer.compress(body[50:]) + packer.flush()


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (_flushed(TEXT), "gzip"),
        (gzip.compress(TEXT)[:-3], "gzip"),
        (gzip.compress(TEXT) + b"junk", "gzip"),
        (zstandard.ZstdCompressor().compress(TEXT) * 2, "zstd"),
        (TEXT, ""),
    ],
    ids=["flushed", "cut short", "junk behind it", "frames of zstd", "plain"],
)
def test_nothing_stands_behind_one_member(body: bytes, coding: str) -> None:
    assert behind_first_member(body, coding, LIMIT) == 0


def test_many_small_members_are_not_read_over_and_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a body of 16 MB would cost the square of its members."""
    member, looked_at = gzip.compress(b"", mtime=0), []
    inflaters = zlib.decompressobj

    class Counting:
        def __init__(self, window: int) -> None:
            self._inflater = inflaters(window)

        def decompress(self, data: bytes, limit: int) -> bytes:
            looked_at.append(len(data))
            return self._inflater.decompress(data, limit)

        def __getattr__(self, name: str) -> object:
            return getattr(self._inflater, name)

    monkeypatch.setattr("sendpoll.core.http.coding.zlib.decompressobj", Counting)
    decode(member * 5_000, "gzip", LIMIT)
    assert sum(looked_at) <= 5_000 * 512


@pytest.mark.parametrize(
    "behind",
    [b"junk", b"\0" * 8, gzip.compress(b"more", mtime=0)[:-3], b"\x1f"],
    ids=["junk", "zeros", "a member cut short", "a byte"],
)
def test_what_stands_behind_the_last_member_must_be_one(behind: bytes) -> None:
    """Node and Dart refuse other bytes, Dart zeros too."""
    with pytest.raises(UndecodableError):
        decode(gzip.compress(TEXT) + behind, "gzip", LIMIT)


@pytest.mark.parametrize("coding", CODINGS)
def test_the_limit_cuts_off(coding: str) -> None:
    assert len(decode(CODINGS[coding](b"0" * 10 * LIMIT), coding, LIMIT)) == LIMIT + 1


def test_members_together_are_held_to_the_limit() -> None:
    assert len(decode(gzip.compress(b"0" * LIMIT) * 5, "gzip", LIMIT)) == LIMIT + 1


@pytest.mark.parametrize("coding", ["", "identity", "utf-8", "none", "binary"])
def test_a_word_that_is_no_coding_is_passed_over_as_all_clients_do(coding: str) -> None:
    assert decode(TEXT, coding, LIMIT) == TEXT
    assert unoffered(coding, "") is None


def test_codings_are_undone_from_the_last_to_the_first() -> None:
    assert decode(zlib.compress(gzip.compress(TEXT)), "gzip, deflate", LIMIT) == TEXT


def test_an_empty_body_is_empty_in_every_coding() -> None:
    assert decode(b"", "gzip", LIMIT) == b""


@pytest.mark.parametrize(
    ("coding", "accepted", "asked_for"),
    [
        ("gzip", "gzip, deflate", True),
        ("x-gzip", "gzip", True),
        ("GZIP", "gzip;q=0.5", True),
        ("gzip", "", False),
        ("br", "gzip, deflate", False),
        ("gzip, gzip", "gzip", False),
        ("identity, gzip", "gzip", False),
    ],
)
def test_only_one_coding_that_was_offered_is_asked_for(coding: str, accepted: str, asked_for: bool) -> None:
    assert (unoffered(coding, accepted) is None) is asked_for
