"""Mutants in the text and the coding of bodies (JSON and ENC rows)."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable

import brotli

from tests.mutants.exchange import Answer, Asked, Handler
from tests.mutants.faults import ALL_CALLS, answers, has, header, is_ascii, raw_bodies
from tests.mutants.model import Mutant
from tests.mutants.poll import ended_body, idle_body, poll_bytes

_CLOSE = re.compile(rb"\]\}\}$")
_USAGE = re.compile(rb'\{"type":"usage","data":\{')
_HEARTBEAT = b'{"type":"heartbeat","data":null}'


def _in_usage(member: bytes) -> Handler:
    """Put one more member into the data of the last event, which nobody prints."""
    return poll_bytes(lambda body: _USAGE.sub(lambda match: match[0] + member + b",", body))


def _in_heartbeat(data: bytes) -> Handler:
    """Put something else into the data of the event in the middle, which nobody prints."""
    return poll_bytes(lambda body: body.replace(_HEARTBEAT, b'{"type":"heartbeat","data":' + data + b"}"))


def _cesu(body: bytes) -> bytes:
    """Characters beyond the BMP as two surrogates of three bytes each."""
    text = body.decode()
    return b"".join(character.encode() if ord(character) <= 0xFFFF else _pair(character) for character in text)


def _pair(character: str) -> bytes:
    units = character.encode("utf-16-be")
    return b"".join(chr(int.from_bytes(units[at : at + 2], "big")).encode("utf-8", "surrogatepass") for at in (0, 2))


def _cut_in_bytes(body: bytes) -> bytes:
    """The first chunk lacks its last byte: text was cut into chunks by bytes."""
    first = '"content":"你好，"'.encode()
    return body.replace(first, first[:-2] + b'"')


def _coded(
    name: bytes, code: Callable[[bytes], bytes], hit: Callable[[Asked, Answer], bool], *operations: str
) -> Handler:
    def rewrite(asked: Asked, given: Answer) -> Answer:
        return given.with_body(code(given.body)).adding(b"content-encoding", name) if hit(asked, given) else given

    return answers(rewrite, *operations)


def _not_offered(name: bytes) -> Callable[[Asked, Answer], bool]:
    return lambda asked, _: not has(b"accept-encoding", name)(asked)


def _media_type(value: bytes | None, *operations: str) -> Handler:
    return header(b"content-type", value, *operations)


def _media_type_beyond_ascii(value: bytes) -> Handler:
    def rewrite(_: Asked, given: Answer) -> Answer:
        return given if is_ascii(given.body) else given.with_header(b"content-type", value)

    return answers(rewrite, *ALL_CALLS)


def _gbk(_: Asked, given: Answer) -> Answer:
    """What GBK has no sign for becomes a question mark, and the header says so."""
    if is_ascii(given.body):
        return given
    coded = given.body.decode().encode("gbk", "replace")
    return given.with_body(coded).with_header(b"content-type", b"application/json; charset=gbk")


JSON_TEXT = (
    Mutant(
        name="byte-order-mark",
        requirement="JSON-1",
        fault="begins every body with a byte order mark",
        make=raw_bodies(lambda body: b"\xef\xbb\xbf" + body, *ALL_CALLS),
    ),
    Mutant(
        name="trailing-comma",
        requirement="JSON-1",
        fault="leaves a comma behind the last event",
        make=poll_bytes(lambda body: _CLOSE.sub(b",]}}", body), lambda body: not body.endswith(b"[]}}")),
    ),
    Mutant(
        name="second-document-at-the-end",
        requirement="JSON-1",
        fault="appends a second JSON text to the final answer",
        make=poll_bytes(lambda body: body + b'\n{"done":true}', ended_body),
        conditional=True,
    ),
    Mutant(
        name="raw-line-feed-in-a-string",
        requirement="JSON-1",
        fault="writes a line feed in a string raw",
        make=poll_bytes(lambda body: body.replace(b"\\n", b"\n")),
        conditional=True,
    ),
    Mutant(
        name="hijacking-prefix-when-idle",
        requirement="JSON-1",
        fault="begins an answer without news with )]}' as if a script might include it",
        make=poll_bytes(lambda body: b")]}'\n" + body, idle_body),
        conditional=True,
    ),
    Mutant(
        name="not-a-number",
        requirement="JSON-2",
        fault="writes NaN into the data of the last event",
        make=_in_usage(b'"cost":NaN'),
        conditional=True,
    ),
    Mutant(
        name="infinity-in-a-heartbeat",
        requirement="JSON-2",
        fault="writes -Infinity into the data of the heartbeat",
        make=_in_heartbeat(b'{"remaining":-Infinity}'),
        conditional=True,
    ),
    Mutant(
        name="nesting-1500-deep",
        requirement="JSON-3",
        fault="nests the data of the last event 1,500 levels deep",
        make=_in_usage(b'"trace":' + b"[" * 1500 + b"]" * 1500),
        conditional=True,
    ),
    Mutant(
        name="integer-of-5000-digits",
        requirement="JSON-3",
        fault="writes an integer of 5,000 digits into the data of the heartbeat",
        make=_in_heartbeat(b"9" * 5000),
        conditional=True,
    ),
    Mutant(
        name="key-twice",
        requirement="JSON-4",
        fault="writes type twice into the last event",
        make=poll_bytes(lambda body: body.replace(b'{"type":"usage",', b'{"type":"usage","type":"usage",')),
        conditional=True,
    ),
)

ENCODING = (
    Mutant(
        name="text-cut-by-bytes",
        requirement="ENC-1",
        fault="cuts text into chunks by bytes, inside a character",
        make=poll_bytes(_cut_in_bytes),
        conditional=True,
    ),
    Mutant(
        name="emoji-in-cesu-8",
        requirement="ENC-1",
        fault="writes emoji as two surrogates of three bytes each",
        make=poll_bytes(_cesu),
        conditional=True,
    ),
    Mutant(
        name="polls-as-plain-text",
        requirement="ENC-2",
        fault="sends polls as text/plain",
        make=_media_type(b"text/plain; charset=utf-8", "pollTask"),
    ),
    Mutant(
        name="conversations-without-media-type",
        requirement="ENC-2",
        fault="sends POST conversations' answers without Content-Type",
        make=_media_type(None, "createConversation"),
        conditional=True,
    ),
    Mutant(
        name="charset-utf8",
        requirement="ENC-3",
        fault="spells the charset utf8",
        make=_media_type(b"application/json; charset=utf8", *ALL_CALLS),
    ),
    Mutant(
        name="charset-gbk-beyond-ascii",
        requirement="ENC-3",
        fault="sends text beyond ASCII in GBK, and says so",
        make=answers(_gbk, *ALL_CALLS),
        also=frozenset({"ENC-1"}),
        conditional=True,
    ),
    Mutant(
        name="charset-missing-beyond-ascii",
        requirement="ENC-4",
        fault="names no charset where the text is beyond ASCII",
        make=_media_type_beyond_ascii(b"application/json"),
        conditional=True,
    ),
    Mutant(
        name="media-type-ends-in-semicolon",
        requirement="ENC-5",
        fault="sends Content-Type: application/json;",
        make=_media_type(b"application/json;", "createWorkspace", "createConversation", "sendMessage"),
    ),
    Mutant(
        name="two-media-types-on-messages",
        requirement="ENC-5",
        fault="sends two media types in the Content-Type of POST messages' answer",
        make=_media_type(b"application/json; charset=utf-8, text/plain", "sendMessage"),
        conditional=True,
    ),
    Mutant(
        name="gzip-always",
        requirement="ENC-6",
        fault="compresses every body with gzip",
        make=_coded(b"gzip", gzip.compress, _not_offered(b"gzip"), *ALL_CALLS),
    ),
    Mutant(
        name="large-bodies-brotli",
        requirement="ENC-6",
        fault="compresses bodies above 400 bytes with Brotli, whatever was offered",
        make=_coded(b"br", brotli.compress, lambda _, given: len(given.body) > 400, "pollTask"),
        conditional=True,
    ),
    Mutant(
        name="deflate-for-gzip",
        requirement="ENC-6",
        fault="compresses polls with deflate for a client that offers gzip alone",
        make=_coded(
            b"deflate",
            zlib.compress,
            lambda asked, _: has(b"accept-encoding", b"gzip")(asked) and not has(b"accept-encoding", b"deflate")(asked),
            "pollTask",
        ),
        conditional=True,
    ),
    Mutant(
        name="gzip-said-not-done",
        requirement="ENC-7",
        fault="says Content-Encoding: gzip over bodies that are not compressed",
        make=_coded(b"gzip", bytes, lambda *_: True, "pollTask"),
    ),
    Mutant(
        name="gzip-cut-short",
        requirement="ENC-7",
        fault="leaves the end of a body compressed with gzip away, where it was offered",
        make=_coded(
            b"gzip",
            lambda body: gzip.compress(body)[:-12],
            lambda asked, _: has(b"accept-encoding", b"gzip")(asked),
            "pollTask",
        ),
        conditional=True,
    ),
    Mutant(
        name="gzip-in-members",
        requirement="ENC-8",
        fault="begins a gzip member anew in the middle of each body, where gzip was offered",
        make=_coded(
            b"gzip",
            lambda body: gzip.compress(body[: len(body) // 2]) + gzip.compress(body[len(body) // 2 :]),
            lambda asked, _: has(b"accept-encoding", b"gzip")(asked),
            "pollTask",
        ),
    ),
)

MUTANTS = (*JSON_TEXT, *ENCODING)
