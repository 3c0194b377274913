"""The search of a server whose tasks take long: it has few to learn from, so a model learns from every one.

Users come in waves, ever more while nothing waits, so that how many tasks the server works on at once shows before the
first of them has ended. From that the model foretells the level at which the objectives give, and that level is held.
Its tasks are added to what is known, and so on until the interval is narrow or the time is up. Where the tasks say that
no discipline the model knows is the server's, it is thrown out, and the ladder decides as it does for fast servers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from typing import Final

from sendpoll.load.measure.records import Outcome
from sendpoll.load.plan.capacity import Capacity, lowest
from sendpoll.load.plan.judge import Assessment, StepVerdict
from sendpoll.load.plan.outcome import Conclusion, End
from sendpoll.load.plan.queueing.capacity_forecast import CapacityForecast, Question, interval
from sendpoll.load.plan.queueing.predict import Limits, Users
from sendpoll.load.plan.queueing.traces import Traces, traces_of
from sendpoll.load.plan.search import Search
from sendpoll.load.plan.settings import Settings
from sendpoll.load.plan.steps import Hold, Purpose, Step
from sendpoll.load.plan.task_log import PlanTasks

_FIRST_WAVE: Final = 4
"""Users: of a server that takes one task at a time they leave a queue of three, which is gone before the time is."""
_BLIND: Final = 16
"""Where no task has moved yet, no more users come: all may wait for one slot."""
_UNENDED: Final = 64
"""Where no task has ended yet: a first event is no proof that a task is worked on."""
_BROKEN: Final = frozenset({Outcome.FAILED, Outcome.TIMED_OUT})
"""What is no queue's doing."""
_SLOW_S: Final = 8.5
"""Of tasks that take less, even a plan of four minutes sees dozens of rounds, and the levels tell by themselves."""
_WAVE_SHARE: Final = 1 / 16
"""Of the budget, for a wave in which nothing happens."""
_RAMP_SHARE: Final = 0.45
"""Of the budget, for all waves."""
_TOLD_BY: Final = 3
"""Tasks that ended in a wave, from which the model may tell what the others wait for."""
_LEAST_BUDGET_S: Final = 120.0
"""Of less time the waves would take a tenth, for tasks that are over before a model has learnt anything."""
_SLOWER: Final = 1.7
"""By how much longer than the first wave one takes where its tasks slow each other down."""
_OPEN: Final = 0.4
"""Once fewer of the imagined servers than that have no limit, their limit is held, and no more users come."""
_CONTRADICTED: Final = 0.0001
"""Of a server that the model knows, so few plans would show tasks as odd at one look; there are up to ten."""
_LAST_ROUNDS: Final = 2.0
"""Times a task at the level that is held, for the last hold: its first tasks are over by then, and known to be late or
in time."""
_MORE: Final = 4
_MORE_SHARE: Final = 0.4
"""More tasks than before, after which the model is asked again: a look sooner would show the same."""
_LEAST_ROUND: Final = 0.25
"""Of a round: in less time nothing new is seen."""
_ATTEMPTS: Final = 3
"""Holds that the generator spoilt: a machine that others use is late now and then."""
_CONFIRMED_BY: Final = 8
"""Tasks of holds at the answer that have borne it out."""

Forecaster = Callable[[Question], CapacityForecast]


class ModelSearch:
    """One search with a model; `ladder` decides where the model does not."""

    def __init__(
        self, settings: Settings, ladder: Search, log: Callable[[], PlanTasks], users: Users, forecaster: Forecaster
    ) -> None:
        self.settings = settings
        self.ladder = ladder
        self.forecast: CapacityForecast | None = None
        """The last; None where the server was too fast to need a model."""
        self.thrown_out = ""
        """Why the ladder decided; empty while the model does."""
        self._log = log
        self._users = users
        self._forecaster = forecaster
        self._borne_out = 0

    def run(self) -> Generator[Hold, Step, Conclusion]:
        """Waves, the model, holds; or the ladder."""
        is_short = self.settings.budget_s < _LEAST_BUDGET_S
        if self.settings.arrivals or is_short or not self._foretellable():
            return (yield from self.ladder.run())
        level = yield from self._ramp()
        if level:
            yield from self._learn(level)
        if self.forecast is None or self.thrown_out:
            self.ladder.observations.predicted = {}
            return (yield from self.ladder.run(self._last_hold()))
        return self._conclusion()

    # Waves

    def _ramp(self) -> Generator[Hold, Step, float]:
        """Bring ever more users until tasks wait, or have ended; the level reached, or 0 where the server is fast."""
        level, first_s = min(_FIRST_WAVE, int(self.settings.max_level)), 0.0
        while True:
            step = yield self._wave(level)
            self.ladder.note(step)
            first_s = first_s or step.seconds
            ended = sorted(one.elapsed_s for one in self._log().records if one.task_s is not None)
            if len(ended) >= _TOLD_BY:
                return float(level) if ended[len(ended) // 2] >= _SLOW_S else 0.0
            if self.ladder.timing.clock > _RAMP_SHARE * self.settings.budget_s and not step.waiting:
                return 0.0
            if step.problems or any(one.outcome in _BROKEN for one in step.records) or step.is_cut:
                return 0.0
            none_waits = not step.waiting and step.seconds <= _SLOWER * first_s
            none_moved = step.waiting >= level and level < _BLIND
            if (none_waits and level < _UNENDED) or none_moved:
                level = min(2 * level, int(self.settings.max_level))

    def _wave(self, level: int) -> Hold:
        seconds = self.settings.start_spread_s + 1.0
        longest = max(seconds, _WAVE_SHARE * self.settings.budget_s)
        return Hold(level, Purpose.WAVE, seconds, _TOLD_BY, longest, 0.0, 0.0, self.settings.budget_s)

    # Holds

    def _learn(self, level: float) -> Generator[Hold, Step, None]:
        """Hold what the model foretells until its interval is narrow or the time is up, or until it is thrown out."""
        spoilt = 0
        while True:
            found = self._ask()
            if found.oddness < _CONTRADICTED:
                self.thrown_out = found.odd_in
                return
            if self._is_narrow() and self._borne_out >= _CONFIRMED_BY:
                return
            answer = self._capacity()
            is_open = found.unbounded > _OPEN or answer.level is None
            wanted = 2.0 * level if is_open else max(1.0, math.floor(answer.level or 1.0))
            level = min(wanted, float(int(self.settings.max_level)))
            hold = self._hold(level, is_last=self._is_narrow() and not is_open)
            if hold is None:
                return
            step = yield hold
            is_level = hold.purpose is Purpose.REFINE and not step.is_cut
            seen = self.ladder.take(step) if is_level else self.ladder.note(step)
            spoilt += seen.verdict is StepVerdict.INVALID
            if seen.verdict is StepVerdict.UNREACHABLE or spoilt == _ATTEMPTS:
                self.thrown_out = "; ".join(step.problems) or f"nothing was answered at {level:g} users"
                return
            if not is_open and seen.verdict is not StepVerdict.INVALID:
                self._borne_out += len(step.records)

    def _last_hold(self) -> Assessment | None:
        assessed = self.ladder.assessments
        return assessed[-1] if assessed and assessed[-1].step.hold.purpose is Purpose.REFINE else None

    def _hold(self, level: float, *, is_last: bool) -> Hold | None:
        """What to hold a level for: to learn while there is time for more, else for a verdict on the level."""
        response, settle = self._response_s(), self.settings.start_spread_s
        left = self.ladder.timing.budget_left - settle
        if left < _LEAST_ROUND * response or left < settle:
            return None
        has_more = left > _LAST_ROUNDS * response
        if left <= response or (has_more and not is_last):
            more = max(_MORE, math.ceil(_MORE_SHARE * len(self._log().records)))
            longest = left - _LAST_ROUNDS * response if has_more else left
            return Hold(level, Purpose.LEARN, settle, more, longest, 0.0, 0.0, self.settings.budget_s)
        seconds = max(self.settings.pace.refine_s, left - response)
        settle_limit = settle + 0.25 * response
        return Hold(level, Purpose.REFINE, seconds, 1, seconds, settle, settle_limit, self.settings.budget_s, response)

    def _response_s(self) -> float:
        """What a task takes at the level that will be held: about the limit of the objective that gives."""
        limits = [limits.task_s for _, limits in self._foretellable() if math.isfinite(limits.task_s)]
        work = self.forecast.service_s if self.forecast else 0.0
        return max(work, min(limits, default=work))

    # The model

    def _ask(self) -> CapacityForecast:
        places, limits = zip(*self._foretellable(), strict=True)
        question = Question(
            self._traces(), limits, self._users, int(self.settings.max_level), seed=len(self.ladder.assessments)
        )
        self.forecast = found = self._forecaster(question)
        capacities = (interval(drawn, found.most_at_once) for drawn in found.capacities)
        self.ladder.observations.predicted = dict(zip(places, capacities, strict=True))
        return found

    def _traces(self) -> Traces:
        log = self._log()
        return traces_of(log.records, self._users.poll_interval_s, log.open_since(), log.now)

    def _foretellable(self) -> Sequence[tuple[int, Limits]]:
        """The objectives that a model of times can foretell, by their place."""
        objectives = self.ladder.observations.objectives
        return [
            (place, Limits(**{f"{one.metric}_s": one.limit_s}, share=one.share))
            for place, one in enumerate(objectives)
            if one.metric in {"task", "ttfe"} and one.limit_s is not None
        ]

    def _capacity(self) -> Capacity:
        observations = self.ladder.observations
        wanted = observations.places(observations.tiers[0])
        return lowest([found for place, found in observations.predicted.items() if place in wanted])

    def _is_narrow(self) -> bool:
        found = self._capacity()
        if found.high is None or found.level is None:
            return False
        return found.high - found.low <= 1 or found.ratio <= 1 + 2 * self.settings.precision

    def _conclusion(self) -> Conclusion:
        found = self._capacity()
        if self._borne_out and found.high is not None and found.high < 1:
            return self.ladder.conclude(End.SLO_UNREACHABLE, "even a lone user is not served within the objectives")
        if self._borne_out and self._is_narrow():
            return self.ladder.conclude(End.CONVERGED, "a model of the server foretold what was then held")
        if self.ladder.observations.predicted and found.level is None and found.low >= self.settings.max_level:
            because = f"the limit of {self.settings.max_level:g} {self.settings.unit} was reached"
            return self.ladder.conclude(End.MAX_USERS_REACHED, because)
        because = "the time was up before the interval was narrow; give it a longer --budget"
        return self.ladder.conclude(End.BUDGET, because)
