"""One self-contained HTML page: everything inline, nothing fetched, and no script but our own can run in it."""

from __future__ import annotations

import base64
import functools
import hashlib
import importlib.resources
import json
from collections.abc import Mapping, Sequence
from typing import Any

import jinja2
from markupsafe import Markup

from sendpoll.core.text.durations import short_seconds
from sendpoll.load.report import text


def page(template: str, context: Mapping[str, Any], data: Mapping[str, Any], plots: str = "plots.js") -> str:
    """Render a template of this folder that extends `page.html.j2`.

    `data` is what the script `plots` of this folder expects to draw. Everything in `context` is escaped.
    """
    styles = [_asset("vendor", "uPlot.min.css"), _asset("page.css")]
    scripts = [_asset("vendor", "uPlot.iife.min.js"), _asset(plots)]
    return (
        _templates()
        .get_template(template)
        .render(
            **context,
            policy=_policy(styles, scripts),
            styles=[Markup(style) for style in styles],  # noqa: S704 - our own files
            scripts=[Markup(script) for script in scripts],  # noqa: S704 - our own files
            data=_json(data),
        )
    )


def _policy(styles: Sequence[str], scripts: Sequence[str]) -> str:
    """The Content-Security-Policy that lets exactly these run: a text that slipped through escaping still could not."""
    allowed = {"script-src": map(_digest, scripts), "style-src": map(_digest, styles)}
    rules = [f"{name} {' '.join(digests)}" for name, digests in allowed.items()]
    return "; ".join(["default-src 'none'", *rules, "base-uri 'none'", "form-action 'none'"])


def _digest(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def _json(data: Mapping[str, Any]) -> Markup:
    """JSON that cannot end the element that it stands in."""
    written = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return Markup(written.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704 - escaped


def _asset(*path: str) -> str:
    return importlib.resources.files("sendpoll.load.report").joinpath(*path).read_text(encoding="utf-8").strip()


@functools.cache
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_asset),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        seconds=short_seconds,
        quantity=text.quantity,
        interval=text.interval,
        value=text.value_of,
        percent=text.percent,
        plain=text.plain,
        ratio=text.ratio,
        extra_polls=text.extra_polls,
        replicas_between=text.replicas_between,
    )
    return environment
