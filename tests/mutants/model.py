"""What a mutant is: a server that is right but for one fault, and the requirement that this fault breaks."""

from __future__ import annotations

from dataclasses import dataclass

from tests.mutants.byte_front import ByteFault
from tests.mutants.exchange import Handler


@dataclass(frozen=True, slots=True)
class Listening:
    """A fault in where the server listens: it does so at one address, and says that it is to be found at another."""

    address: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One faulty server."""

    name: str
    requirement: str
    """The catalogue row that must fail."""
    fault: str
    """What it does wrong, in a sentence."""
    make: Handler | ByteFault | Listening
    also: frozenset[str] = frozenset()
    """Other MUST rows that the same fault breaks by necessity."""
    conditional: bool = False
    """Whether most exchanges with it are right."""
    concurrent: bool = False
    """Whether it is right for one user at a time, and errs only while another call, reader or task is under way."""
    restarts: bool = False
    """Whether it can be restarted, by `restarting.restart_command`, and errs only then."""
