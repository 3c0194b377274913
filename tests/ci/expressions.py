"""The expressions of GitHub Actions, as far as `action.yml` uses them: contexts, texts, operators, functions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

_TOKEN = re.compile(r"\s*('(?:[^']|'')*'|==|!=|&&|\|\||[!()]|[A-Za-z_][\w.-]*)")


def interpolated(text: str, contexts: Mapping[str, Any]) -> str:
    """The text with each `${{ … }}` replaced by its value."""
    return re.sub(r"\$\{\{(.*?)\}\}", lambda found: _text(evaluated(found[1], contexts)), text, flags=re.DOTALL)


def evaluated(expression: str, contexts: Mapping[str, Any]) -> Any:
    """The value of one expression. A name that leads nowhere is an empty text, as it is to the runner."""
    parser = _Parser(_tokens(expression), contexts)
    value = parser.disjunction()
    assert not parser.tokens, f"{expression!r} goes on with {parser.tokens}"
    return value


def _tokens(expression: str) -> list[str]:
    found, at, text = [], 0, expression.strip()
    while at < len(text):
        token = _TOKEN.match(text, at)
        assert token, f"{text[at:]!r} is beyond this reader"
        found.append(token[1])
        at = token.end()
    return found


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


class _Parser:
    def __init__(self, tokens: list[str], contexts: Mapping[str, Any]) -> None:
        self.tokens = tokens
        self._contexts = contexts

    def disjunction(self) -> Any:
        value = self._conjunction()
        while self._takes("||"):
            other = self._conjunction()
            value = value or other
        return value

    def _conjunction(self) -> Any:
        value = self._comparison()
        while self._takes("&&"):
            other = self._comparison()
            value = value and other
        return value

    def _comparison(self) -> Any:
        value = self._unary()
        for operator, holds in (("==", True), ("!=", False)):
            if self._takes(operator):
                return (value == self._unary()) is holds
        return value

    def _unary(self) -> Any:
        if self._takes("!"):
            return not self._unary()
        if self._takes("("):
            value = self.disjunction()
            assert self._takes(")")
            return value
        token = self.tokens.pop(0)
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        return self._call(token) if self._takes("(") else self._look_up(token)

    def _call(self, name: str) -> Any:
        functions: Mapping[str, Callable[..., Any]] = {
            "always": lambda: True,
            "success": lambda: not self._contexts["failed"],
            "toJSON": lambda value: json.dumps(value, indent=2),
        }
        arguments = [] if self._takes(")") else [self.disjunction()]
        assert not arguments or self._takes(")")
        return functions[name](*arguments)

    def _look_up(self, path: str) -> Any:
        value: Any = self._contexts
        for part in path.split("."):
            value = value.get(part, "") if isinstance(value, Mapping) else ""
        return value

    def _takes(self, token: str) -> bool:
        if self.tokens[:1] == [token]:
            self.tokens.pop(0)
            return True
        return False
