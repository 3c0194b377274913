"""Answers as bytes, each with what of HTTP-1 to HTTP-6 it breaks, as the published clients showed it.

Every row was sent to curl, requests, Node's fetch, Chromium and Dart. A row that says of no requirement is read by all
of them; one that does names the letters of those that it broke (C, P, N, B, D, as in the catalogue).
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass

JSON = b'{"data":{"status":"running","next_offset":0,"events":[]}}'
START = b"HTTP/1.1 200 OK\r\n"
TYPE = b"Content-Type: application/json\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(JSON)
LAST = b"0\r\n\r\n"
CHUNKED = START + TYPE + b"Transfer-Encoding: chunked\r\n\r\n"
_NUMBER = len(JSON)


@dataclass(frozen=True, slots=True)
class Row:
    """One answer."""

    name: str
    raw: bytes
    breaks: str = ""
    """The requirement; empty for an answer that every client reads."""
    clients: str = ""
    """Who broke."""
    closes: bool = True
    """Whether the server closes the connection behind the bytes; else it goes silent."""
    plain: bytes | None = JSON
    """The body that is read; None where nothing is."""


def sized(body: bytes = JSON, *, start: bytes = START, extra: bytes = b"") -> bytes:
    """An answer with a length."""
    return start + TYPE + extra + b"Content-Length: %d\r\n\r\n" % len(body) + body


def headed(*lines: bytes, body: bytes = JSON) -> bytes:
    """An answer with these header lines and no others."""
    return START + TYPE + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


def chunk(piece: bytes = JSON, *, size: bytes = b"", extension: bytes = b"") -> bytes:
    """One chunk."""
    return (size or b"%x" % len(piece)) + extension + b"\r\n" + piece + b"\r\n"


def coded(coding: bytes, body: bytes = JSON) -> bytes:
    """A chunked answer with another Transfer-Encoding."""
    return headed(b"Transfer-Encoding: " + coding, body=chunk(body) + LAST)


def lines(count: int) -> bytes:
    """An answer of so many header lines."""
    return sized(extra=b"X-A: 1\r\n" * (count - 2))


def heavy(size: int, parts: int) -> bytes:
    """An answer whose names and values have so many bytes together, its long values in so many parts."""
    left = size - len(b"Content-Typeapplication/jsonContent-Length57")
    short = left // parts
    values = [short] * (parts - 1) + [left - short * (parts - 1)]
    return sized(extra=b"".join(b"X-A: " + b"a" * (value - 3) + b"\r\n" for value in values))


_VALUES = {
    "a sign": (b"+57", "ND"), "a minus": (b"-57", "CND"), "a word": (b"all", "CND"), "nothing": (b"", "CND"),
    "a point": (b"57.0", "ND"), "a prefix": (b"0x39", "CND"), "a space inside": (b"5 7", "CND"),
    "a semicolon": (b"57;", "ND"), "digits of another script": ("٥٧".encode(), "CND"), "quotes": (b'"57"', "CND"),
    "an underscore": (b"5_7", "CND"), "more than 64 bits": (b"9" * 25, "PND"), "a list": (b"57, 57", "ND"),
    "a comma behind": (b"57,", "NBD"), "tabs around": (b"\t57\t", "N"),
}  # fmt: skip
_EXTENSIONS = {
    "a space in front": (b" ;a=1", "ND"), "a space behind": (b"; a=1", "N"), "a space in a pair": (b";a= 1", "N"),
    "nothing": (b";", "N"), "an escape": (b';a="b\\"c"', "N"), "an open quote": (b';a="b', "N"),
    "a control character": (b";a=\x01", "N"), "a parenthesis": (b";a=(b)", "N"),
}  # fmt: skip
_SIZES = {
    "a space behind": (b"39 ", "ND"), "a tab behind": (b"39\t", "NBD"),
    "seventeen digits": (b"%017x" % _NUMBER, "C"), "forty digits": (b"%040x" % _NUMBER, "C"),
}  # fmt: skip
_NO_SIZES = {
    "0x39": "CNBD", "+39": "CNBD", "3_9": "CNBD", " 39": "CNBD", "39 a": "PNBD", "five": "CPNBD", "-1": "CPNBD",
}  # fmt: skip
_STATUS_LINES = {
    "HTTP/1.2": (b"HTTP/1.2 200 OK", "CND"), "HTTP/2": (b"HTTP/2 200 OK", "PND"), "HTTP/0.9": (b"HTTP/0.9 200", "CD"),
    "a version of three digits": (b"HTTP/1.10 200 OK", "CND"), "status 099": (b"HTTP/1.1 099 Odd", "CPND"),
    "two spaces": (b"HTTP/1.1  200 OK", "ND"), "a tab": (b"HTTP/1.1\t200 OK", "CND"),
    "NUL in the reason": (b"HTTP/1.1 200 O\0K", "CB"), "CR in the reason": (b"HTTP/1.1 200 O\rK", "ND"),
}  # fmt: skip
_NO_STATUS_LINES = {
    "status of two digits": (b"HTTP/1.1 20 OK", "CPND"), "status of four digits": (b"HTTP/1.1 2000 OK", "CPND"),
    "small letters": (b"http/1.1 200 OK", "PND"), "a blank line first": (b"\r\nHTTP/1.1 200 OK", "CPD"),
    "another protocol": (b"SSH-2.0-OpenSSH_9.2", "CPNBD"),
}  # fmt: skip
_FIELDS = {
    "no colon": (b"nonsense", "CND"), "a space in front of the colon": (b"X-A : 1", "D"), "no name": (b": 1", "D"),
    "a space in a name": (b"X A: 1", "D"), "Latin-1 in a name": (b"X-\xe4: 1", "ND"), "a slash": (b"X/A: 1", "ND"),
    "NUL in a name": (b"X\0A: 1", "CNBD"), "NUL in a value": (b"X-A: a\0b", "CNBD"),
    "CR in a value": (b"X-A: a\rb", "ND"), "a control character in a value": (b"X-A: a\x01b", "N"),
    "DEL in a value": (b"X-A: a\x7fb", "N"),
    "a line feed alone": (b"X-A: 1\nX-B: 2", "N"), "NUL in a folded line": (b"X-A: a\r\n b\0c", "CNBD"),
    "CR in place of a fold": (b"X-A: a\r b", "ND"), "a fold behind a line feed alone": (b"X-A: a\n b", "N"),
}  # fmt: skip

ROWS: tuple[Row, ...] = (
    Row("as every server does", sized()),
    # ---- HTTP-1: the length ----
    Row("short of its length, then closed", headed(b"Content-Length: 99"), "HTTP-1", "CPNBD"),
    Row("short of its length, then silent", headed(b"Content-Length: 99"), "HTTP-1", "CPNBD", closes=False),
    Row("more than its length", headed(b"Content-Length: 40"), "HTTP-1", "CPNBD", plain=None),
    Row("no length, then silent", headed(), "HTTP-1", "CPNBD", closes=False),
    Row("no length, then closed", headed()),
    Row("a pause in the middle of a text", sized()[:-9], closes=False, plain=None),
    Row("junk behind a whole body", sized() + b"junk"),
    Row("a length with leading zeros", headed(b"Content-Length: " + b"0" * 18 + b"57")),
    Row("a length with spaces around", headed(b"Content-Length:   57  ")),
    # ---- HTTP-2: one length, or chunks ----
    *(
        Row(f"a length of {name}", headed(b"Content-Length: " + value), "HTTP-2", who)
        for name, (value, who) in _VALUES.items()
    ),
    Row("two equal lengths", sized(extra=LENGTH), "HTTP-2", "ND"),
    Row("two lengths that differ", headed(LENGTH[:-2], b"Content-Length: 99"), "HTTP-2", "PNBD"),
    Row("length and chunks", headed(LENGTH[:-2], b"Transfer-Encoding: chunked", body=chunk() + LAST), "HTTP-2", "N"),
    Row("length and identity", sized(extra=b"Transfer-Encoding: identity\r\n"), "HTTP-2", "N"),
    Row("gzip beneath the chunks", coded(b"gzip, chunked", gzip.compress(JSON, mtime=0)), "HTTP-2", "PNBD"),
    Row("gzip to the end", headed(b"Transfer-Encoding: gzip", body=gzip.compress(JSON, mtime=0)), "HTTP-2", "PNBD"),
    Row("chunked twice in a line", coded(b"chunked, chunked"), "HTTP-2", "ND"),
    Row("identity in front of chunked", coded(b"identity, chunked"), "HTTP-2", "ND"),
    Row("a comma behind chunked", coded(b"chunked,"), "HTTP-2", "ND"),
    Row("a parameter of chunked", coded(b"chunked;q=1"), "HTTP-2", "CPNBD"),
    Row("a coding that nobody knows", headed(b"Transfer-Encoding: x-thing"), "HTTP-2", "C"),
    Row("chunks in HTTP/1.0", CHUNKED.replace(b"1.1", b"1.0", 1) + chunk() + LAST, "HTTP-2", "BD"),
    Row(
        "identity behind chunked",
        headed(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", body=chunk() + LAST),
        "HTTP-2",
        "N",
    ),
    Row("chunked on two lines", headed(*[b"Transfer-Encoding: chunked"] * 2, body=chunk() + LAST)),
    Row("Chunked, with a capital", coded(b"Chunked ")),
    Row("identity alone", headed(b"Transfer-Encoding: identity")),
    Row("an empty Transfer-Encoding beside a length", sized(extra=b"Transfer-Encoding: \r\n")),
    # ---- HTTP-3: chunks ----
    *(
        Row(f"a chunk size with {name}", CHUNKED + chunk(size=value) + LAST, "HTTP-3", who)
        for name, (value, who) in _SIZES.items()
    ),
    *(
        Row(f"no chunk size: {size}", CHUNKED + chunk(size=size.encode()) + LAST, "HTTP-3", who, plain=None)
        for size, who in _NO_SIZES.items()
    ),
    *(
        Row(f"a chunk extension with {name}", CHUNKED + chunk(extension=value) + LAST, "HTTP-3", who)
        for name, (value, who) in _EXTENSIONS.items()
    ),
    *(
        Row(f"a chunk size of {digits} digits", CHUNKED + chunk(size=b"%0*x" % (digits, _NUMBER)) + LAST)
        for digits in (8, 9, 12, 16)
    ),
    Row("a chunk size in capitals", CHUNKED + chunk(JSON + b"  ", size=b"3B") + LAST, plain=JSON + b"  "),
    Row("a chunk extension", CHUNKED + chunk(extension=b';a=1;b="c d";e') + LAST),
    Row("a long chunk extension", CHUNKED + chunk(extension=b";a=" + b"x" * 10_000) + LAST),
    Row(
        "a chunk extension beyond 16 KiB",
        CHUNKED + chunk(extension=b";a=" + b"x" * 17_000) + LAST,
        "HTTP-3",
        "B",
        plain=None,
    ),
    Row("a last chunk of 16 zeros", CHUNKED + chunk() + b"0" * 16 + b"\r\n\r\n"),
    Row("a last chunk of 17 zeros", CHUNKED + chunk() + b"0" * 17 + b"\r\n\r\n", "HTTP-3", "C"),
    Row("an extension of the last chunk", CHUNKED + chunk() + b"0;a=1\r\n\r\n"),
    Row("many chunks", CHUNKED + b"".join(chunk(bytes([byte])) for byte in JSON) + LAST),
    Row("a trailer", CHUNKED + chunk() + b"0\r\nX-Checksum: 1\r\n\r\n", "HTTP-3", "D"),
    Row("a trailer of white space", CHUNKED + chunk() + b"0\r\n \r\n\r\n", "HTTP-3", "ND"),
    Row("no last chunk, then closed", CHUNKED + chunk(), "HTTP-3", "CPNBD"),
    Row("no last chunk, then silent", CHUNKED + chunk(), "HTTP-3", "CPNBD", closes=False),
    Row("no end of the last chunk", CHUNKED + chunk() + b"0\r\n", "HTTP-3", "CNBD"),
    Row("a chunk longer than its size", CHUNKED + chunk(size=b"2") + LAST, "HTTP-3", "CPNBD", plain=None),
    Row(
        "an empty chunk in the middle",
        CHUNKED + chunk(JSON[:20]) + LAST + chunk(JSON[20:]) + LAST,
        "HTTP-3",
        "CPNBD",
        plain=None,
    ),
    Row("junk behind the last chunk", CHUNKED + chunk() + LAST + b"junk"),
    # ---- HTTP-4: lines ----
    *(
        Row(f"a status line with {name}", sized(start=line + b"\r\n"), "HTTP-4", who)
        for name, (line, who) in _STATUS_LINES.items()
    ),
    *(
        Row(f"no status line: {name}", sized(start=line + b"\r\n"), "HTTP-4", who, plain=None)
        for name, (line, who) in _NO_STATUS_LINES.items()
    ),
    *(
        Row(f"a header line with {name}", sized(extra=line + b"\r\n"), "HTTP-4", who)
        for name, (line, who) in _FIELDS.items()
    ),
    Row("line feeds alone in the head", sized().replace(b"\r\n", b"\n"), "HTTP-4", "N"),
    Row("a line feed alone before the blank line", headed(LENGTH[:-2]).replace(b"\r\n\r\n", b"\n\r\n"), "HTTP-4", "N"),
    Row("a line feed alone as the blank line", headed(LENGTH[:-2]).replace(b"\r\n\r\n", b"\r\n\n")),
    Row("a line feed alone behind a chunk size", CHUNKED + b"39\n" + JSON + b"\r\n" + LAST, "HTTP-4", "N"),
    Row("a line feed alone behind a chunk", CHUNKED + b"39\r\n" + JSON + b"\n" + LAST, "HTTP-4", "PN"),
    Row("line feeds alone behind the last chunk", CHUNKED + chunk() + b"0\n\n", "HTTP-4", "N"),
    Row("a folded first line", START + b" X-A: 1\r\n" + TYPE + LENGTH + b"\r\n" + JSON, "HTTP-4", "CN"),
    Row("a folded length", headed(b"Content-Length:\r\n 57"), "HTTP-4", "CD"),
    Row("a folded Transfer-Encoding", headed(b"Transfer-Encoding:\r\n chunked", body=chunk() + LAST), "HTTP-4", "CD"),
    Row("a folded header", sized(extra=b"X-A: a\r\n b\r\n")),
    Row("a folded header with a tab", sized(extra=b"X-A: a\r\n\tb\r\n")),
    Row("a folded line of white space", sized(extra=b"X-A: a\r\n \r\n")),
    Row("a folded Content-Type", START + b"Content-Type:\r\n application/json\r\n" + LENGTH + b"\r\n" + JSON),
    Row("HTTP/1.0", sized(start=b"HTTP/1.0 200 OK\r\n")),
    Row("no reason", sized(start=b"HTTP/1.1 200\r\n")),
    Row("a space and no reason", sized(start=b"HTTP/1.1 200 \r\n")),
    Row("UTF-8 in the reason", sized(start="HTTP/1.1 200 你\r\n".encode())),
    Row("a control character in the reason", sized(start=b"HTTP/1.1 200 O\x01K\r\n")),
    Row("status 299", sized(start=b"HTTP/1.1 299 Odd\r\n")),
    Row("UTF-8 in a value", sized(extra="X-A: 你\r\n".encode())),
    Row("a tab in a value", sized(extra=b"X-A: a\tb\r\n")),
    Row("an empty value", sized(extra=b"X-A:\r\n")),
    Row("a value of white space", sized(extra=b"X-A: \t \r\n")),
    # ---- HTTP-5: interim answers ----
    *(
        Row(f"an interim {status}", b"HTTP/1.1 %d Odd\r\n\r\n" % status + sized(), "HTTP-5", who)
        for status, who in ((100, "N"), (102, "PD"), (103, "PD"), (199, "PD"))
    ),
    Row("an unasked 101", b"HTTP/1.1 101 Odd\r\n\r\n" + sized(), "HTTP-5", "CPD", plain=None),
    # ---- HTTP-6: the size of the head ----
    Row("99 header lines", lines(99)),
    Row("100 header lines", lines(100), "HTTP-6", "P"),
    Row("one byte less than 16 KiB in one header", heavy(16 * 1024 - 1, 1)),
    Row("one byte less than 16 KiB in sixty", heavy(16 * 1024 - 1, 60)),
    Row("16 KiB in one header", heavy(16 * 1024, 1), "HTTP-6", "N"),
    Row("16 KiB in sixty", heavy(16 * 1024, 60), "HTTP-6", "N"),
    Row("300 KiB of headers", heavy(300 * 1024, 60), "HTTP-6", "N", plain=None),
)
