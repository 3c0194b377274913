"""Requests that differ from one that works in one thing only, so that a refusal has one reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sendpoll.conformance.api import Api
from sendpoll.conformance.exchange import Exchange, Intent
from sendpoll.conformance.lab import Lab
from sendpoll.conformance.shapes import Shape


def with_content_type(shape: Shape, value: str) -> Shape:
    """The same client with another Content-Type on its JSON bodies."""
    template = tuple(
        (name, value if name.lower() == "content-type" else told, when) for name, told, when in shape.template
    )
    return replace(shape, template=template)


def with_headers_of(shape: Shape, other: Shape) -> Shape:
    """The same bodies and media type under the header names, order and extras of another client."""
    types = [told for name, told, _ in shape.template if name.lower() == "content-type"]
    return with_content_type(replace(shape, template=other.template, origin=other.origin), types[0])


def forms(requirement: str, shape: Shape, others: Mapping[str, Shape]) -> tuple[Shape, ...]:
    """The shapes that differ from `shape` in what the requirement is about alone."""
    if requirement == "REQ-3":
        types = ("application/json", "application/json; charset=utf-8")
        working = next(told for name, told, _ in shape.template if name.lower() == "content-type")
        return tuple(with_content_type(shape, value) for value in types if value != working)
    if requirement == "REQ-4":
        return tuple(with_headers_of(shape, other) for other in others.values())
    if requirement == "REQ-6":
        return (replace(shape, escapes=not shape.escapes),)
    if requirement == "REQ-7":
        return (replace(shape, max_iterations=None if shape.max_iterations else 100),)
    raise ValueError(requirement)


def try_posts(lab: Lab, shape: Shape) -> list[Exchange]:
    """The three POSTs in a shape, as far as they get; a message that is taken counts against the budget."""
    api = Api(lab.recorder, shape)
    ensured = lab.ensure_workspace(api, Intent.SHAPE)
    opened, conversation = lab.open_conversation(api, Intent.SHAPE)
    if conversation is None:
        return [ensured, opened]
    sent, _ = lab.send(api, conversation, "plain", intent=Intent.SHAPE)
    return [ensured, opened, sent]
