"""Faults in JSON text, its encoding and its labels: JSON, ENC."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

from sendpoll.conformance.client.serving.behaviour import Reshape
from sendpoll.conformance.client.serving.messages import Answer, ReceivedRequest
from tests.clients.fault import Fault
from tests.clients.faults.acceptance import BOTH_DARTS


def body(change: Callable[[bytes], bytes]) -> Reshape:
    """That change of the body of every answer that has one."""
    return lambda _, right: right.with_body(change(right.body)) if right.body else right


def replaced(old: bytes, new: bytes) -> Reshape:
    return body(lambda right: right.replace(old, new))


def media_type(value: str | None) -> Reshape:
    """That Content-Type, or none, on every answer that has a body."""
    return lambda _, right: right.with_header("Content-Type", value) if right.body else right


def coded(name: str, encode: Callable[[bytes], bytes]) -> Reshape:
    """Every body so encoded and labelled, whatever the client offered."""

    def reshape(request: ReceivedRequest, right: Answer) -> Answer:
        del request
        return right.with_body(encode(right.body)).with_header("Content-Encoding", name) if right.body else right

    return reshape


def _zstandard(plain: bytes) -> bytes:
    """RFC 8878: one frame with its size told (0xA0: single segment, four bytes of size) and one raw block."""
    block = (len(plain) << 3 | 1).to_bytes(3, "little")
    return b"\x28\xb5\x2f\xfd\xa0" + len(plain).to_bytes(4, "little") + block + plain


def beside_events(json_text: bytes) -> Reshape:
    """That value in an event of a type that no client knows."""
    return replaced(b'"data": null}', b'"data": ' + json_text + b"}")


_JSON = (
    Fault("JSON-1", "byte_order_mark", "CP", reshape=body(lambda right: b"\xef\xbb\xbf" + right)),
    Fault("JSON-1", "trailing_bytes", "CPNBD", reshape=body(lambda right: right + b"ok")),
    Fault("JSON-1", "second_document", "CPNBD", reshape=body(lambda right: right + b"\n{}")),
    Fault("JSON-1", "trailing_comma", "CPNBD", reshape=replaced(b"}}", b"},}")),
    Fault("JSON-1", "guarding_prefix", "CPNBD", reshape=body(lambda right: b")]}'\n" + right)),
    Fault("JSON-1", "raw_line_end_in_a_string", "CPNBD", reshape=replaced(rb"\n", b"\n")),
    Fault("JSON-1", "comment", "CPNBD", reshape=body(lambda right: b"/* ok */" + right)),
    Fault("JSON-1", "nul_at_the_end", "CPNBD", reshape=body(lambda right: right + b"\0")),
    Fault("JSON-2", "not_a_number", "NBD", reshape=beside_events(b"NaN")),
    Fault("JSON-2", "infinity", "NBD", reshape=beside_events(b"-Infinity")),
    Fault("JSON-3", "deep", "CP", reshape=beside_events(b"[" * 100_000 + b"]" * 100_000)),
    Fault("JSON-3", "long_integer", "CP", reshape=beside_events(b"7" * 5000)),
    Fault("JSON-4", "key_twice", "", reshape=replaced(b'"status": ', b'"status": "failed", "status": ')),
)

_LAST = "终".encode()
_ENCODING = (
    Fault("ENC-1", "invalid_byte", "CPNBD", reshape=replaced(_LAST, b"\xff")),
    Fault(
        "ENC-1",
        "character_cut_in_two",
        "PNBD",
        reshape=replaced(_LAST, _LAST[:1] + b'"}}, {"type": "text_chunk", "data": {"content": "' + _LAST[1:]),
    ),
    Fault("ENC-2", "text_plain", "PD", reshape=media_type("text/plain")),
    Fault("ENC-2", "octet_stream", "D", reshape=media_type("application/octet-stream")),
    Fault("ENC-2", "problem_json", "D", reshape=media_type("application/problem+json")),
    Fault("ENC-2", "none", "D", reshape=media_type(None)),
    Fault("ENC-3", "utf8_without_hyphen", "D", reshape=media_type("application/json; charset=utf8")),
    Fault("ENC-3", "latin_1", "PD", reshape=media_type("application/json; charset=iso-8859-1")),
    Fault("ENC-3", "ascii", "PD", reshape=media_type("application/json; charset=us-ascii")),
    Fault("ENC-3", "utf_16", "PD", reshape=media_type("application/json; charset=utf-16")),
    Fault("ENC-3", "unknown", "D", reshape=media_type("application/json; charset=klingon")),
    Fault("ENC-4", "no_charset", "D", reshape=media_type("application/json"), clients=BOTH_DARTS),
    Fault("ENC-5", "semicolon_and_nothing", "D", reshape=media_type("application/json;")),
    Fault("ENC-5", "parameter_without_value", "D", reshape=media_type("application/json; charset")),
    Fault("ENC-5", "no_slash", "D", reshape=media_type("json")),
    Fault("ENC-5", "two_at_once", "D", reshape=media_type("application/json, application/json")),
    Fault("ENC-6", "gzip_unasked", "C", reshape=coded("gzip", gzip.compress)),
    Fault("ENC-6", "deflate_unasked", "CD", reshape=coded("deflate", zlib.compress)),
    # Node learns it with a later version, so what Node does here says nothing.
    Fault(
        "ENC-6",
        "zstandard_unasked",
        "CPD",
        reshape=coded("zstd", _zstandard),
        clients=("curl", "python", "browser", "dart"),
    ),
    Fault("ENC-7", "said_but_not_done", "PNBD", reshape=coded("gzip", lambda right: right)),
)

FAULTS = (*_JSON, *_ENCODING)
