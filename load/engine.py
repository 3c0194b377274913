"""The engine's interface: what load to hold now, and what came of it.

A `Controller` is asked once a second how many users there shall be and which step the tasks that start now belong to.
It is shown every task that has ended, how the generator fared in each step, and when a step is over. The shapes of
`sendpoll load` and the planner are controllers; neither knows Locust, nor where the users run.

Importing this module imports neither Locust nor gevent; `sendpoll.load.on_locust.load_run` holds the load, and that
patches the whole process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sendpoll.core.target.target import Target
    from sendpoll.load.measure.health import Health
    from sendpoll.load.measure.metrics import Metrics
    from sendpoll.load.measure.records import TaskRecord
    from sendpoll.load.scenario.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Order:
    """The load that a controller wants held from now on, until it says otherwise."""

    users: int
    """With `arrivals`, the size of the pool that takes them."""
    step: int = 0
    """Which step the tasks that start from now on belong to; must never decrease."""
    arrivals: float | None = None
    """Messages a second over all users together (a Poisson process); None: users send when they have thought."""


@dataclass(frozen=True, slots=True)
class Cohort:
    """The tasks of one step, over all generators, as far as they have reported."""

    started: int = 0
    ended: int = 0
    moved: int = 0
    """Those of which an event was seen, and those that ended without one: nobody knows of the others whether they wait
    for their turn."""
    closed: bool = False
    """Every generator has left the step: `started` is final."""

    @property
    def complete(self) -> bool:
        """Every task of the step has ended and its record has been handed over."""
        return self.closed and self.started == self.ended


@dataclass(frozen=True, slots=True)
class View:
    """What a controller sees each second. Everything in it may trail the generators by the report interval (1 s)."""

    elapsed: float
    """Seconds since the first user was asked for."""
    users: int
    """Users that exist now, those that finish their last task included."""
    records: Sequence[TaskRecord]
    """The tasks that ended since the controller was last asked, each handed over exactly once."""
    cohorts: Mapping[int, Cohort]
    health: Mapping[int, Health]
    """How the generator fared, by step, merged over all processes."""
    metrics: Metrics
    """The whole run so far. It goes on changing: take what you need, keep nothing."""
    problems: Sequence[str]
    """What makes the run invalid already, such as a worker that was lost; one sentence each."""


class Controller(Protocol):
    """Decides how much load there is and when to end."""

    def decide(self, view: View) -> Order | None:
        """What to hold until the next call, in about a second; None ends the run.

        The engine then drains: no task is started any more, those that run are finished (at most the task deadline)
        and their records are in the result. The call must not block. An exception ends the run in the same
        way and is one of its `problems`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Workload:
    """What each user does, to whom. Together with the orders it is the whole input of a run."""

    target: Target
    scenario: Scenario
    seed: int = 0
    max_messages: int | None = None
    """The most that may be sent by all generators together; None: as many as come."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Where the users run."""

    processes: int = 0
    """Worker processes on this machine; 0: the users run in this process."""
    master: bool = False
    """Wait for workers from other machines (they run `sendpoll load --worker`)."""
    bind_host: str = "127.0.0.1"
    """Where the master listens for them; `*` means on every address."""
    bind_port: int = 5557
    secret: str = field(default="", repr=False)
    """What the master shares with workers of other machines; it needs one."""
    expect_workers: int = 1
    """With `master`: how many to wait for before the first user."""
    worker_patience: float = 60.0
    """Seconds to wait for them."""
    web_port: int | None = None
    """Where Locust's web page shows the run, on the loopback interface; None: nowhere."""


@dataclass(slots=True)
class RunResult:
    """What came of a run, complete: no record of a task that ended is missing unless `problems` says so."""

    metrics: Metrics
    cohorts: Mapping[int, Cohort]
    health: Mapping[int, Health]
    problems: tuple[str, ...]
    """Why the run is invalid, generator health apart (`Health.problems` judges that); empty for a sound run."""
    started_at: float
    """Wall clock, seconds since the epoch."""
    seconds: float
    """From the first user to the last report."""
    workers: int = 0
    """Worker processes; 0: all users ran in one process."""
    cut_by: int | None = None
    """The signal that ended it before the controller said so; SIGINT where Locust's page did."""
    unreachable: str | None = None
    """Why the target cannot be reached, when not one exchange with it succeeded."""
    samples: Sequence[Mapping[str, object]] = ()
    """The first failed exchange of each kind, redacted. Those behind violations are in `metrics.evidence`."""
    connections: Mapping[str, int] = field(default_factory=dict)
    """How many connections were made to each address of the target's name, or of its proxy's."""


Progress = Callable[[View, Order], None]
"""Called after every decision and at the end, to show how the run stands and to keep what is to be kept of it: each
record of a task comes by once."""


class EngineError(Exception):
    """The run could not be held; the message says what to do."""
