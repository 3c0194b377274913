"""Writes a recording as NDJSON: an exchange a line, as `files/recorded-exchange.json` has it; only secrets are lost."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from typing import TextIO

from sendpoll.conformance.recordings.exchange_json import to_json
from sendpoll.conformance.recordings.recorded_exchange import RecordedExchange
from sendpoll.conformance.recordings.writing.masks import Masks


class NdjsonWriter:
    """Each exchange is a whole line at once, so that a recording which is cut off can be read up to there."""

    def __init__(self, stream: TextIO, secrets: Iterable[str] = ()) -> None:
        """`secrets` are masked beside every Authorization that is seen."""
        self._stream = stream
        self._masks = Masks(secrets)

    def add(self, recorded: RecordedExchange) -> None:
        """Write one exchange. Raises OSError."""
        self._masks.learn_from(recorded)
        response = recorded.response
        hidden = dataclasses.replace(
            recorded,
            request_headers=tuple(self._masks.headers(recorded.request_headers)),
            response=response and dataclasses.replace(response, headers=tuple(self._masks.headers(response.headers))),
        )
        line = json.dumps(self._masks.data(to_json(hidden)), ensure_ascii=True, allow_nan=False)
        self._stream.write(f"{line}\n")

    def close(self) -> None:
        """Nothing is left to be written: each line ends the recording so far."""
        self._stream.flush()
