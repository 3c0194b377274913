"""Content codings: undone within bounds, as the clients undo them, and which of them nobody asked for."""

from __future__ import annotations

import zlib
from typing import Final

import brotli
import zstandard

COMPRESSIONS: Final = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd", "compress", "x-compress", "dcb", "dcz"})
"""Codings that change the bytes. Any other word is passed over by every client, as if it were identity."""
_PIECE: Final = 512
"""Bytes that a member of a gzip body is read by at first: many small ones must not cost the square of their number."""


class UndecodableError(ValueError):
    """The body is not in the coding that its header names."""


def unoffered(coding: str, accepted: str) -> str | None:
    """ENC-6: how a body is compressed that the request's Accept-Encoding did not ask for; None where it is not.

    Dart and curl undo one coding at most, so two are one too many for them.
    """
    words = [word.strip().lower() for word in coding.split(",")]
    offered = {word.split(";")[0].strip().lower() for word in accepted.split(",")}
    compressed = [word for word in words if word in COMPRESSIONS]
    if not compressed or (len(words) == 1 and words[0].removeprefix("x-") in offered):
        return None
    listed = ", ".join(sorted(offered)) or "nothing"
    return f"the body is coded as {', '.join(words)}, and the request offered {listed}"


def decode(body: bytes, coding: str, limit: int) -> bytes:
    """The body without its content codings, cut off behind the limit. Raises UndecodableError."""
    if not body:
        return body
    for name in reversed([word.strip().lower() for word in coding.split(",")]):
        try:
            body = _decode_one(body, name, limit)
        except (zlib.error, brotli.error, zstandard.ZstdError) as error:
            raise UndecodableError(f"Content-Encoding says {name}, and the body is not: {error}") from error
    return body


def behind_first_member(body: bytes, coding: str, limit: int) -> int:
    """ENC-8: bytes of the content that stand in members of a gzip body behind the first.

    All of them are the content (RFC 1952 section 2.2), and Chromium and curl read the first alone. 0 where the body is
    in no such coding, or not in order.
    """
    if coding.strip().lower() not in {"gzip", "x-gzip"}:
        return 0
    first = zlib.decompressobj(31)
    try:
        read = len(first.decompress(body, limit + 1))
        return len(_gunzip(body, limit)) - read if first.unused_data else 0
    except zlib.error:
        return 0


def _decode_one(body: bytes, name: str, limit: int) -> bytes:
    if name in {"gzip", "x-gzip"}:
        return _gunzip(body, limit)
    if name == "deflate":
        return _inflate(body, 15 if _is_zlib(body) else -15, limit)
    if name == "br":
        return _unbrotli(body, limit)
    if name == "zstd":
        return zstandard.ZstdDecompressor().stream_reader(body, read_across_frames=True).read(limit + 1)
    if name in COMPRESSIONS:
        raise UndecodableError(f"Content-Encoding {name!r} is known to no client")
    return body


def _gunzip(body: bytes, limit: int) -> bytes:
    """All members of the body, one behind the other: RFC 1952 section 2.2."""
    plain = bytearray()
    at = 0
    while True:
        inflater, piece = zlib.decompressobj(31), _PIECE
        while not inflater.eof:
            if at >= len(body):
                raise zlib.error("the compressed data end too early")
            plain += inflater.decompress(body[at : at + piece], limit + 1 - len(plain))
            if len(plain) > limit:
                return bytes(plain)
            at += min(piece, len(body) - at)
            piece *= 2
        at -= len(inflater.unused_data)
        if at == len(body):
            return bytes(plain)


def _is_zlib(body: bytes) -> bool:
    """Whether deflated data have the frame that RFC 9110 asks for; all clients that offer it do without."""
    return len(body) > 1 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0


def _inflate(body: bytes, window: int, limit: int) -> bytes:
    inflater = zlib.decompressobj(window)
    plain = inflater.decompress(body, limit + 1)
    if not inflater.eof and not inflater.unconsumed_tail:
        raise zlib.error("the compressed data end too early")
    return plain


def _unbrotli(body: bytes, limit: int) -> bytes:
    decompressor = brotli.Decompressor()
    plain = bytes(decompressor.process(body, output_buffer_limit=limit + 1)[: limit + 1])
    if len(plain) <= limit and not decompressor.is_finished():
        raise brotli.error("the compressed data end too early")
    return plain
