"""A recorded request as a curl command that a stranger can paste into a shell.

Everything stands in single quotes, so that no text of a request can act in the reader's shell; only the token stands in
double quotes, as a variable. What curl would add of its own is taken away, so that the server sees what it saw before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from sendpoll.core.text.secrets import MASK, literal

_PLAIN_ARGUMENT = 16_384
"""Bytes up to which a body is an argument of curl; a longer one is piped in, since systems bound arguments."""
_EXPECTING = 1_048_576
"""Bytes of body from which curl sends `Expect: 100-continue` of its own."""
_RUN = re.compile(rb"(.)\1{1023,}+", re.DOTALL)  # possessive: a way back would take a hundred bytes a byte
_URL = re.compile(r"[A-Za-z0-9._~:/?@!$&'()*+,;=%-]*")
_BARE = re.compile(r"[A-Za-z0-9._~:/@%+=,-]+")


def curl_line(
    method: str,
    url: str,
    headers: Sequence[tuple[str, str]],
    body: bytes | None,
    token: str = MASK,
    second_token: str | None = None,
) -> str:
    """The command that sends this request again and shows status, headers and body of the answer.

    `url` is the whole URL as it was sent. `token` and `second_token` are the values in place of which the variables
    SENDPOLL_TOKEN and SENDPOLL_SECOND_TOKEN stand; by default the mask that a report has in place of the token.
    """
    variables = {token: "SENDPOLL_TOKEN"}
    if second_token:
        variables[second_token] = "SENDPOLL_SECOND_TOKEN"
    piped = body is not None and not _fits_argument(body)
    words = ["curl -sSi"]
    if url.startswith("https:"):
        words.append("--http1.1")
    words.extend(_method(method, body))
    words.extend(_headers(url, headers, body, variables))
    if piped:
        words.append("--data-binary @-")
    elif body is not None:
        words.append(f"--data-binary {_quoted(body.decode(), variables, 'utf-8')}")
    words.extend(_url(url, variables))
    source = f"{_printed(body, variables)} | " if piped and body is not None else ""
    return source + " ".join(words)


def _method(method: str, body: bytes | None) -> Iterator[str]:
    if method == "HEAD":
        yield "--head"
    elif method != ("GET" if body is None else "POST"):
        yield f"-X {method if method.isalpha() else _quoted(method, {})}"


def _headers(
    url: str, headers: Sequence[tuple[str, str]], body: bytes | None, variables: Mapping[str, str]
) -> Iterator[str]:
    given = {name.lower() for name, _ in headers}
    own = {("Host", urlsplit(url).netloc), ("Accept", "*/*")}
    if body is not None:
        own.add(("Content-Length", str(len(body))))
    for name, value in headers:
        if (name, value) in own or (name == "User-Agent" and value.startswith("curl/")):
            continue
        yield f"-H {_quoted(f'{name}: {value}' if value else f'{name};', variables)}"
    added = ["Host", "User-Agent", "Accept"]
    if body is not None:
        added.append("Content-Type")
        added.extend(["Expect"] if len(body) >= _EXPECTING else [])
    for name in added:
        if name.lower() not in given:
            yield f"-H '{name}:'"
    if "accept-encoding" in given:
        yield "--compressed"


def _url(url: str, variables: Mapping[str, str]) -> Iterator[str]:
    """The URL, or where curl would change or refuse it, the server and the request target apart."""
    parts = urlsplit(url)
    target = url.partition("//")[2].removeprefix(parts.netloc) or "/"
    odd = not _URL.fullmatch(target) or re.search(r"/\.{1,2}(?=[/?]|$)", target.partition("?")[0])
    bracketed = " --globoff" if "[" in parts.netloc else ""
    if odd:
        yield f"--request-target {_quoted(target, variables)}{bracketed}"
        yield _quoted(f"{parts.scheme}://{parts.netloc}/", variables)
    else:
        yield f"{bracketed} {_quoted(url, variables)}".strip()


def _fits_argument(body: bytes) -> bool:
    """Whether the body can stand in single quotes: readable text, short, and no name of a file to curl."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return False
    return len(body) <= _PLAIN_ARGUMENT and text.isprintable() and not text.startswith("@")


def _quoted(text: str, variables: Mapping[str, str], encoding: str = "latin-1") -> str:
    """One word of a shell for the text, with variables in place of their values.

    `encoding` is how the request carried the text; where a terminal would send other bytes for it, it is escaped.
    """
    pieces = _pieces(text, variables)
    has_variable = any(is_variable for _, is_variable in pieces)
    if has_variable and all(is_variable or _fits_double_quotes(piece, encoding) for piece, is_variable in pieces):
        word = "".join(f"${{{piece}}}" if is_variable else piece for piece, is_variable in pieces)
        return '"' + re.sub(r"\$\{(\w+)\}(?!\w)", r"$\1", word) + '"'
    if not has_variable and _BARE.fullmatch(text):
        return text
    return "".join(f'"${piece}"' if is_variable else _literal(piece, encoding) for piece, is_variable in pieces) or "''"


def _is_plain(text: str, encoding: str) -> bool:
    return text.isprintable() and (text.isascii() or encoding == "utf-8")


def _fits_double_quotes(text: str, encoding: str) -> bool:
    return _is_plain(text, encoding) and not set(text) & set('"$`\\!')


def _pieces(text: str, variables: Mapping[str, str]) -> list[tuple[str, bool]]:
    """The text cut at the values of the variables: literal text, or the name of a variable."""
    values = sorted((value for value in variables if value), key=len, reverse=True)
    if not values:
        return [(text, False)]
    parts = re.split(f"({'|'.join(map(literal, values))})", text)
    return [(variables[part], True) if index % 2 else (part, False) for index, part in enumerate(parts) if part]


def _literal(text: str, encoding: str) -> str:
    """Text in single quotes; with escapes, as bash, zsh and ksh read them, where it holds what cannot be shown."""
    if _is_plain(text, encoding):
        return "'" + text.replace("'", "'\\''") + "'"
    try:
        raw = text.encode(encoding)
    except UnicodeEncodeError:
        raw = text.encode("utf-8", "surrogatepass")
    escaped = "".join(chr(byte) if 0x20 <= byte < 0x7F and byte not in b"'\\" else f"\\{byte:03o}" for byte in raw)
    return f"$'{escaped}'"


def _printed(body: bytes, variables: Mapping[str, str]) -> str:
    """Shell commands that print the body byte for byte; a long run of one byte as the command that makes it."""
    commands: list[str] = []
    at = 0
    for run in _RUN.finditer(body):
        commands.extend(_printf(body[at : run.start()], variables))
        byte = run.group(1)[0]
        commands.append(f"head -c {len(run.group())} /dev/zero | tr '\\000' '\\{byte:03o}'")
        at = run.end()
    commands.extend(_printf(body[at:], variables))
    return commands[0] if len(commands) == 1 else "{ " + "; ".join(commands) + "; }"


def _printf(data: bytes, variables: Mapping[str, str]) -> Iterator[str]:
    if not data:
        return
    words = []
    layout = ""
    for piece, is_variable in _pieces(data.decode("latin-1"), variables):
        layout += "%s" if is_variable else "".join(map(_octal, piece))
        words.extend([f'"${piece}"'] if is_variable else [])
    if layout.startswith("-"):  # some shells take it for an option
        layout = _octal("-", plain=False) + layout[1:]
    yield " ".join([f"printf '{layout}'", *words])


def _octal(character: str, *, plain: bool = True) -> str:
    """A character as printf's own format writes it, in any POSIX shell: as itself where it can be and may."""
    if character == "%":
        return "%%"
    is_itself = plain and " " <= character <= "~" and character not in "'\\"
    return character if is_itself else f"\\{ord(character):03o}"


def fold(line: str, width: int) -> list[str]:
    """The command over several lines, broken with a backslash where no quotes are open, each word kept whole."""
    lines = [""]
    for word in _words(line):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1] and len(joined) > width - 2:
            lines[-1] += " \\"
            lines.append(f"  {word}")
        else:
            lines[-1] = joined
    return lines


def _words(line: str) -> list[str]:
    """The line cut at its unquoted spaces, an option kept with its argument."""
    words = re.findall(r"(?:\$'(?:[^'\\]|\\.)*'|'[^']*'|\"[^\"]*\"|\\.|[^ '\"\\])+", line)
    joined: list[str] = []
    for word in words:
        if joined and re.fullmatch(r"-H|-X|--data-binary|--request-target", joined[-1]):
            joined[-1] += f" {word}"
        else:
            joined.append(word)
    return joined
