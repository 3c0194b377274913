"""One self-contained HTML page: everything inline, nothing fetched, and no script but our own can run in it.

Three things hold that: every expression is escaped, every text is first made visible, and the policy in the page allows
the styles and scripts whose digests it names, and no others.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import importlib.resources
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import jinja2
from markupsafe import Markup

from sendpoll.core.text.safe import one_line, visible
from sendpoll.core.text.units import counted, percent, quantity, short_seconds

_KIT: Final = "sendpoll.core.reports"
_NOBODY: Final = "'none'"
_FILTERS: Final[Mapping[str, Callable[..., Any]]] = MappingProxyType(
    {"seconds": short_seconds, "quantity": quantity, "percent": percent, "counted": counted, "one_line": one_line}
)


@dataclass(frozen=True, slots=True)
class Page:
    """A kind of page: a template that extends `page.html.j2`, and what it needs beside the kit's own."""

    package: str
    """Whose folder holds the files."""
    template: str
    styles: Sequence[str] = ()
    scripts: Sequence[str] = ()
    filters: Mapping[str, Callable[..., Any]] = field(default_factory=dict)

    def render(self, context: Mapping[str, Any], plots: Mapping[str, Any] | None = None) -> str:
        """The page. Everything in `context` is made visible and escaped; `plots` is what `plots.js` draws, if any."""
        styles, scripts = ["page.css"], list[str]()
        if plots is not None:
            styles, scripts = ["uPlot.min.css", *styles], ["uPlot.iife.min.js", "plots.js"]
        kit = functools.partial(_asset, _KIT, "assets")
        own = functools.partial(_asset, self.package)
        all_styles = [*map(kit, styles), *map(own, self.styles)]
        all_scripts = [*map(kit, scripts), *map(own, self.scripts)]
        return (
            _environment(self)
            .get_template(self.template)
            .render(
                **context,
                policy=_policy(all_styles, all_scripts),
                styles=[Markup(style) for style in all_styles],  # noqa: S704 - our own files
                scripts=[Markup(script) for script in all_scripts],  # noqa: S704 - our own files
                plots=None if plots is None else _json(plots),
            )
        )

    def __hash__(self) -> int:
        return hash((self.package, self.template))


@functools.cache
def _environment(page: Page) -> jinja2.Environment:
    loaders = [jinja2.FunctionLoader(functools.partial(_template, page.package))]
    loaders.append(jinja2.FunctionLoader(functools.partial(_template, _KIT, "assets")))
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(loaders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters.update(_FILTERS, **page.filters)
    return environment


def _shown(value: Any) -> Any:
    """Every text of the page goes through here, so that none can be forgotten."""
    return visible(value, keep="\n\t") if isinstance(value, str) and not isinstance(value, Markup) else value


def _template(package: str, *path: str) -> str | None:
    try:
        return _asset(package, *path)
    except FileNotFoundError:
        return None


def _policy(styles: Sequence[str], scripts: Sequence[str]) -> str:
    """The Content-Security-Policy that lets exactly these run: a text that slipped through escaping still could not."""
    allowed = {"script-src": map(_digest, scripts), "style-src": map(_digest, styles)}
    rules = [f"{name} {' '.join(digests) or _NOBODY}" for name, digests in allowed.items()]
    return "; ".join(["default-src 'none'", *rules, "base-uri 'none'", "form-action 'none'"])


def _digest(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def _json(data: Mapping[str, Any]) -> Markup:
    """JSON that cannot end the element that it stands in."""
    written = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return Markup(written.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704 - escaped


def _asset(package: str, *path: str) -> str:
    return importlib.resources.files(package).joinpath(*path).read_text(encoding="utf-8").strip()
