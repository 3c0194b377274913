"""Mutants in the bytes around a body, in connections and in time (HTTP rows)."""

from __future__ import annotations

from collections.abc import Callable

from tests.mutants.byte_front import ByteFault, Call, render
from tests.mutants.exchange import Answer, Asked
from tests.mutants.faults import delays, is_ascii
from tests.mutants.model import Mutant
from tests.mutants.poll import ended_body, idle_body, running_body

If = Callable[[Asked, Answer], bool]
_SILENCE = 32.0
"""Seconds; the requests example gives up after 30."""


def _is_poll(asked: Asked, _: Answer) -> bool:
    return asked.operation == "pollTask"


def _at_the_end(asked: Asked, given: Answer) -> bool:
    return _is_poll(asked, given) and ended_body(given.body)


def _has_body(asked: Asked, given: Answer) -> bool:
    return asked.operation != "" and given.body != b""


def _bytes(write: Callable[[Answer], bytes], when: If = _has_body, *, close: bool = False) -> ByteFault:
    """Write some answers in other bytes; `close` ends the connection behind them."""

    async def serve(call: Call) -> None:
        given = await call.forward()
        if not when(call.asked, given):
            await call.reply(given)
            return
        await call.send(write(given))
        if close or b"close" in (call.asked.header(b"connection") or b"").lower():
            call.close()

    return ByteFault(serve)


def _length(value: Callable[[Answer], int]) -> Callable[[Answer], bytes]:
    return lambda given: render(given.with_header(b"content-length", b"%d" % value(given)))


def _characters(given: Answer) -> int:
    return len(given.body.decode("utf-8", "replace"))


def _chunked(given: Answer, end: bytes, *extra: tuple[bytes, bytes]) -> bytes:
    """In two chunks, and whatever comes in place of the right end."""
    bare = given.without(b"content-length").adding(b"transfer-encoding", b"chunked")
    for name, value in extra:
        bare = bare.adding(name, value)
    half = len(given.body) // 2
    parts = (part for part in (given.body[:half], given.body[half:]) if part)
    return render(bare, body=b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + end)


def _before(interim: bytes) -> Callable[[Answer], bytes]:
    return lambda given: b"HTTP/1.1 " + interim + b"\r\n\r\n" + render(given)


def _with_headers(count: int, size: int) -> Callable[[Answer], bytes]:
    def write(given: Answer) -> bytes:
        for number in range(count):
            given = given.adding(b"x-trace-%d" % number, b"t" * size)
        return render(given)

    return write


def _twice(given: Answer) -> bytes:
    return render(given.adding(b"content-length", b"%d" % len(given.body)))


async def _closes_on_second(call: Call) -> None:
    if call.nth >= 2:
        call.close()
    else:
        await call.reply(await call.forward())


async def _deaf_to_the_second(call: Call) -> None:
    """The second request of a connection, and every later one, is never answered."""
    if call.nth >= 2:
        await call.silence()
        call.close()
    else:
        await call.reply(await call.forward())


async def _reset_on_third(call: Call) -> None:
    if call.nth >= 3:
        call.reset()
    else:
        await call.reply(await call.forward())


async def _plain(call: Call) -> None:
    await call.reply(await call.forward())


async def _pause_in_the_middle(call: Call) -> None:
    given = await call.forward()
    if not _at_the_end(call.asked, given) or call.asked.poll > 40:
        await call.reply(given)
        return
    whole = render(given)
    await call.send(whole[:-10])
    await call.silence(_SILENCE)
    await call.send(whole[-10:])
    call.close()


LENGTHS = (
    Mutant(
        name="length-in-characters",
        requirement="HTTP-1",
        fault="counts Content-Length in characters",
        make=_bytes(_length(_characters), lambda asked, given: _has_body(asked, given) and not is_ascii(given.body)),
        conditional=True,
    ),
    Mutant(
        name="length-too-large",
        requirement="HTTP-1",
        fault="announces ten bytes more than it sends, and closes",
        make=_bytes(_length(lambda given: len(given.body) + 10), _is_poll, close=True),
    ),
    Mutant(
        name="length-too-small-at-the-end",
        requirement="HTTP-1",
        fault="announces two bytes less than it sends in the final answer, and closes",
        make=_bytes(_length(lambda given: len(given.body) - 2), _at_the_end, close=True),
        conditional=True,
    ),
    Mutant(
        name="length-twice",
        requirement="HTTP-2",
        fault="sends Content-Length twice",
        make=_bytes(_twice),
    ),
    Mutant(
        name="length-beside-chunked",
        requirement="HTTP-2",
        fault="sends Content-Length beside Transfer-Encoding",
        make=_bytes(
            lambda given: _chunked(given, b"0\r\n\r\n", (b"content-length", b"%d" % len(given.body))),
            lambda asked, given: _is_poll(asked, given) and not running_body(given.body),
        ),
        conditional=True,
    ),
    Mutant(
        name="length-with-unit",
        requirement="HTTP-2",
        fault="writes a unit behind the number in Content-Length, and closes",
        make=_bytes(
            lambda given: render(given.with_header(b"content-length", b"%d bytes" % len(given.body))),
            lambda asked, _: asked.operation == "createConversation",
            close=True,
        ),
        conditional=True,
    ),
    Mutant(
        name="chunks-never-end",
        requirement="HTTP-3",
        fault="leaves the last chunk away, and closes",
        make=_bytes(lambda given: _chunked(given, b""), _is_poll, close=True),
    ),
    Mutant(
        name="trailer-at-the-end",
        requirement="HTTP-3",
        fault="sends a trailer behind the last chunk of the final answer",
        make=_bytes(lambda given: _chunked(given, b"0\r\nx-checksum: 12\r\n\r\n"), _at_the_end),
        conditional=True,
    ),
)

HEADS = (
    Mutant(
        name="line-feeds-alone",
        requirement="HTTP-4",
        fault="ends the lines of the head with a line feed alone",
        make=_bytes(lambda given: render(given, eol=b"\n")),
    ),
    Mutant(
        name="idle-poll-http-2",
        requirement="HTTP-4",
        fault="says HTTP/2 in the status line where nothing is new",
        make=_bytes(
            lambda given: render(given, version=b"HTTP/2"),
            lambda asked, given: _is_poll(asked, given) and idle_body(given.body),
        ),
        conditional=True,
    ),
    Mutant(
        name="continue-before-messages",
        requirement="HTTP-5",
        fault="sends 100 Continue before the answer to POST messages, which nobody asked for",
        make=_bytes(_before(b"100 Continue"), lambda asked, _: asked.operation == "sendMessage"),
        conditional=True,
    ),
    Mutant(
        name="early-hints",
        requirement="HTTP-5",
        fault="sends 103 Early Hints before polls",
        make=_bytes(_before(b"103 Early Hints\r\nlink: </style.css>"), _is_poll),
    ),
    Mutant(
        name="hundred-and-twenty-headers",
        requirement="HTTP-6",
        fault="sends 120 header lines",
        make=_bytes(_with_headers(120, 8)),
    ),
    Mutant(
        name="twenty-kilobytes-of-headers-at-the-end",
        requirement="HTTP-6",
        fault="sends 20 KiB of headers with the final answer",
        make=_bytes(_with_headers(5, 4096), _at_the_end),
        conditional=True,
    ),
)

CONNECTIONS = (
    Mutant(
        name="second-request-closes",
        requirement="HTTP-7",
        fault="closes the connection in place of an answer to its second request",
        make=ByteFault(_closes_on_second),
    ),
    Mutant(
        name="second-request-unheard",
        requirement="HTTP-7",
        fault="never answers the second request on a connection",
        make=ByteFault(_deaf_to_the_second),
        also=frozenset({"HTTP-9"}),
        conditional=True,
    ),
    Mutant(
        name="reset-on-third-request",
        requirement="HTTP-7",
        fault="resets the connection on its third request",
        make=ByteFault(_reset_on_third),
        conditional=True,
    ),
    Mutant(
        name="idle-half-a-second",
        requirement="HTTP-8",
        fault="closes a connection that was idle for half a second",
        make=ByteFault(_plain, idle=0.5),
        also=frozenset({"HTTP-7"}),
        conditional=True,
    ),
)

TIME = (
    Mutant(
        name="message-runs-inline",
        requirement="HTTP-9",
        fault="answers POST messages when the work is done, half a minute later",
        make=delays(_SILENCE, "sendMessage", when=lambda asked: asked.nth <= 2),
        conditional=True,
    ),
    Mutant(
        name="pause-before-the-last-bytes",
        requirement="HTTP-9",
        fault="falls silent for half a minute before the last bytes of the final answer",
        make=ByteFault(_pause_in_the_middle),
        conditional=True,
    ),
)

MUTANTS = (*LENGTHS, *HEADS, *CONNECTIONS, *TIME)
