"""The search: which level to hold next, from what the steps so far have shown, until the answer is close enough.

Baseline at one user, doubling until a step fails, recovery, then between good and bad: first the middle of the two,
and once they are neighbours, whichever level the interval needs most. Last, the recommended level is confirmed.
A generator: it yields holds and is sent steps, so it runs in any engine's time.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Final

from sendpoll.load.plan.capacity import Capacity
from sendpoll.load.plan.estimate import tier_capacity
from sendpoll.load.plan.judge import Assessment, StepVerdict, assess
from sendpoll.load.plan.levels import Levels
from sendpoll.load.plan.outcome import Conclusion, End
from sendpoll.load.plan.settings import GENERATOR_SHARE, Settings
from sendpoll.load.plan.steps import Hold, Purpose, Step
from sendpoll.load.plan.tallies import Observations
from sendpoll.load.plan.timing import Timing

_UNHURRIED: Final = 1.1
_SHORT_ROUND: Final = 1 / 60
_LOOSE: Final = 4
"""What is an answer at the end of the time: twice as wide an interval as ends the search before."""
_MOST_TIMES: Final = 10.0
"""A guess at the time that is left goes no further."""
_ATTEMPTS: Final = 3
"""A machine that others use is late now and then; one that cannot make the load is late each time."""
_FAILED_ALONE: Final = 2
"""A lone user's tasks may all fail once; a server with which they do again cannot be planned for."""
_SLOW_RECOVERY: Final = 3.0
_DRAINING: Final = 0.5
"""Open arrivals do not wait for the server: of the most that it finished, so many leave it room to work off a queue."""
_NOT_EVEN_ONE: Final = "even the lowest level is not served within the objectives"


_QUICKER: Final = 0.8
"""Tasks that take so much less than those before are of a server that is still waking up."""


class _EndedError(Exception):
    """The search is over before its natural end."""

    def __init__(self, end: End, because: str) -> None:
        super().__init__(because)
        self.end = end
        self.because = because


class Search:
    """One search. `run` is the generator; `observations` fills with every sound step."""

    def __init__(self, settings: Settings, observations: Observations) -> None:
        self.settings = settings
        self.observations = observations
        self.assessments: list[Assessment] = []
        self._tier = observations.tiers[0]
        self.timing = Timing(settings, observations)
        self._levels = Levels(settings, observations)
        self._alone = 0.0
        self._recovery: float | None = None
        self._recovered = True
        self._warmed_up = False
        self._recommended: float | None = None
        self._confirmed = False

    def run(self, first: Assessment | None = None) -> Generator[Hold, Step, Conclusion]:
        """Hold levels until the answer is known, or until it cannot be; `first` is one that was held already."""
        try:
            end, because = yield from self._climb(first)
            if end is None:
                end, because = yield from self._refine()
            yield from self._refine_further(end)
            if end in {End.CONVERGED, End.BUDGET}:
                yield from self._confirm()
            if end is End.CONVERGED and not self._is_nearly_close():
                end, because = yield from self._refine()  # the confirmation has cast doubt on it
        except _EndedError as ended:
            end, because = ended.end, ended.because
        return self.conclude(end, because)

    def conclude(self, end: End, because: str) -> Conclusion:
        """What is known by now; also for a search that somebody stopped."""
        if not self._confirmed and self.observations.steps:
            found = self.capacity()
            best = found.low if found.level is None or end is End.TARGET_UNHEALTHY else found.level
            level = self._with_headroom(best) if best >= self._levels.lowest() and found.low > 0 else None
            if self._recommended is None or level is None or level < self._recommended:
                self._recommended = level
        return Conclusion(
            end=end,
            because=because,
            assessments=tuple(self.assessments),
            recommended=self._recommended,
            confirmed=self._confirmed,
            non_monotonic=self._non_monotonic(),
            recovery_s=self._recovery,
            warmed_up=self._warmed_up,
            recovered=self._recovered,
        )

    # The ladder

    def _climb(self, first: Assessment | None) -> Generator[Hold, Step, tuple[End | None, str]]:
        """Double the level until a step fails; the end and why, or no end where there is something to refine."""
        level = self.settings.rounded(self.settings.start) if first is None else first.step.level
        purpose = Purpose.BASELINE if first is None else Purpose.LADDER
        while True:
            seen, first = first or (yield from self._held(level, purpose)), None
            if seen.has_failed and purpose is Purpose.BASELINE:
                seen = yield from self._again(seen)
                if seen.has_failed:
                    return End.SLO_UNREACHABLE, _NOT_EVEN_ONE
            if seen.has_failed or (purpose is Purpose.LADDER and seen.is_mostly_bad):
                break
            self._alone = self._alone or self.timing.response_s
            top, end, because = self._top()
            if level >= top:
                settled = yield from self._settle_top(level)
                if not settled.has_failed:
                    return end, because
                break
            level, purpose = self.settings.rounded(min(level * self._stride(seen), top)), Purpose.LADDER
        yield from self._recover()
        return None, ""

    def _again(self, failed: Assessment) -> Generator[Hold, Step, Assessment]:
        """Hold the first level once more, and as long as it gets quicker: a server that wakes up is no overloaded one.

        Where it is good in the end, what it was before does not count.
        """
        before = [failed]
        while True:
            seen = yield from self._held(failed.step.level, Purpose.BASELINE)
            if not seen.has_failed:
                for one in before:
                    self.observations.forget(one.step)
                self._warmed_up = True
                return seen
            if _middle_s(seen) > _QUICKER * _middle_s(before[-1]):
                return seen
            before.append(seen)

    def _stride(self, seen: Assessment) -> float:
        """Twice the level; two doublings at once while tasks take no longer than they did without competition.

        Only where rounds are short against the budget: a queue takes rounds to grow and, after too great a leap, to go.
        """
        if self.settings.arrivals or self.timing.cycle_s > _SHORT_ROUND * self.settings.budget_s:
            return 2.0
        if seen.step.hold.purpose is Purpose.BASELINE:
            return 4.0
        unhurried = self.timing.response_s <= _UNHURRIED * self._alone + 0.05
        return 4.0 if unhurried and not any(one.tally.bad for one in seen.wanted) else 2.0

    def _settle_top(self, level: float) -> Generator[Hold, Step, Assessment]:
        """The highest level that may be held has not failed yet: look at it for longer."""
        while True:
            seen = yield from self._held(level, Purpose.REFINE)
            proven = self.capacity().low >= level
            if seen.has_failed or proven or self.timing.left < self.timing.cost(seen.step.hold):
                return seen

    def _top(self) -> tuple[float, End, str]:
        """The highest level that may be held, and what it means when it is reached."""
        top = self.settings.max_level
        most = self.settings.generator_requests
        last = self.observations.steps[-1] if self.observations.steps else None
        if most is not None and last is not None and last.requests_per_second > 0:
            bound = GENERATOR_SHARE * most * last.level / last.requests_per_second
            if bound < top:
                share = f"{GENERATOR_SHARE:.0%}"
                return bound, End.GENERATOR_BOUND, f"more would take over {share} of what this generator can do"
        return top, End.MAX_USERS_REACHED, f"the limit of {top:g} {self.settings.unit} was reached"

    def _recover(self) -> Generator[Hold, Step, None]:
        """Go back to the last good level until the server is itself again, and measure how long that takes.

        A level may have looked good by chance, or before its queue had grown: if the server does not come back there,
        it is given the next lower one that was held, and then the lowest.
        """
        good, _ = self._levels.bracket(self._tier)
        began = self.timing.clock
        highest = good or 0.0
        if self.settings.arrivals:
            highest = min(highest, _DRAINING * self._levels.most_served())
        levels = sorted({step.level for step in self.observations.steps if step.level <= highest}, reverse=True)
        for level in dict.fromkeys((*levels[:2], self._levels.lowest())):
            since = self.timing.clock
            seen = yield from self._held(level, Purpose.RECOVERY)
            if seen.step.recovery_s is not None:
                self._recovery = max(self._recovery or 0.0, since - began + seen.step.recovery_s)
                return
            if seen.is_dead:
                break
            if self.timing.budget_left <= self.timing.response_s + 1:
                raise _EndedError(*self._out_of_time())
        self._recovered = False
        state = f"failed every task ({seen.failure})" if seen.failure else "had not recovered"
        sentence = f"the server {state} {self.timing.clock - began:.0f} s after it was overloaded"
        raise _EndedError(End.TARGET_UNHEALTHY, sentence)

    # Between good and bad

    def _refine(self) -> Generator[Hold, Step, tuple[End, str]]:
        """Narrow the interval until it is within the precision or the time is up."""
        while True:
            good, bad = self._levels.bracket(self._tier)
            if good is None and self._levels.lowest_has_failed(self._tier):
                return End.SLO_UNREACHABLE, _NOT_EVEN_ONE
            if self._levels.is_close(good, bad, self.capacity()):
                return End.CONVERGED, "the interval is within the precision that was asked for"
            level = self._levels.next(good, bad, self.capacity(), self._top()[0])
            if self.timing.left < self.timing.cost(self.timing.hold(level, Purpose.REFINE)):
                return self._out_of_time()
            seen = yield from self._held(level, Purpose.REFINE)
            slow = (self._recovery or 0.0) > _SLOW_RECOVERY * (self.settings.start_spread_s + self.timing.cycle_s)
            if seen.has_failed and (slow or seen.is_dead or self.settings.arrivals):
                yield from self._recover()

    def _refine_further(self, end: End) -> Generator[Hold, Step, None]:
        """With the time that is left, narrow the other tiers' intervals, too: their answers came from the ladder."""
        try:
            for tier in self.observations.tiers[1:] if end is End.CONVERGED else ():
                self._tier = tier
                if None not in self._levels.bracket(tier):
                    yield from self._refine()
        except _EndedError as ended:
            if ended.end not in {End.CONVERGED, End.BUDGET}:
                raise
        finally:
            self._tier = self.observations.tiers[0]

    def _out_of_time(self) -> tuple[End, str]:
        if self._is_nearly_close():
            return End.CONVERGED, "the time was up with the interval close to the precision that was asked for"
        return End.BUDGET, self._spent()

    def _is_nearly_close(self) -> bool:
        return self.capacity().ratio <= 1 + _LOOSE * self.settings.precision

    def _spent(self) -> str:
        """The end by the clock, and how long it might take: an interval narrows with the square root of the time."""
        wanted, ratio = math.log(1 + 2 * self.settings.precision), self.capacity().ratio
        times = (math.log(ratio) / wanted) ** 2
        hint = "give it a longer --budget"
        if 1 < times <= _MOST_TIMES:
            hint = f"about {math.ceil(self.settings.budget_s * times / 60)} min would do"
        return f"the time was up before the interval was narrow; {hint}"

    def capacity(self) -> Capacity:
        """The level at which the first objective stops being met."""
        return tier_capacity(self.observations, self._tier)

    def _non_monotonic(self) -> tuple[float, float] | None:
        failed = [one.step.level for one in self.assessments if one.verdict is StepVerdict.FAIL]
        passed = [one.step.level for one in self.assessments if one.verdict is StepVerdict.PASS]
        if failed and passed and min(failed) < max(passed):
            return min(failed), max(passed)
        return None

    # The recommendation

    def _confirm(self) -> Generator[Hold, Step, None]:
        """Hold what will be recommended for long; one step down is allowed."""
        best = self.capacity().level
        for _ in range(2):
            if not best:
                return
            level = self._recommended = self._with_headroom(best)
            hold = self.timing.hold(level, Purpose.CONFIRM)
            if not self.settings.pace.confirm_share or self.timing.budget_left < self.timing.cost(hold):
                return
            seen = yield from self._held(level, Purpose.CONFIRM)
            if seen.leans_good:
                self._confirmed = seen.verdict is StepVerdict.PASS
                return
            best = level

    def _with_headroom(self, level: float) -> float:
        below = level * (1 - self.settings.headroom)
        return self.settings.rounded(below) if self.settings.arrivals else max(1.0, float(math.floor(below)))

    # Holding

    def note(self, step: Step) -> Assessment:
        """Keep a step that says nothing of a level by itself."""
        self.timing.clock = step.ended_at
        seen = assess(self.observations, step)
        self.assessments.append(seen)
        return seen

    def take(self, step: Step) -> Assessment:
        """Keep a step that somebody else asked for, among the observations where it is sound."""
        seen = self.note(step)
        if not step.is_cut and seen.verdict is not StepVerdict.INVALID:
            self.observations.add(step)
            self.timing.learn(seen)
        return seen

    def _held(self, level: float, purpose: Purpose) -> Generator[Hold, Step, Assessment]:
        """Hold a level; again if the generator spoilt it, for that may pass. Sound steps go into the observations."""
        failures = 0
        for _ in range(_ATTEMPTS):
            hold = self.timing.hold(level, purpose)
            if purpose is Purpose.LADDER and self.timing.budget_left < self.timing.cost(hold):
                raise _EndedError(End.BUDGET, self._spent())
            step = yield hold
            self.timing.clock = step.ended_at
            if step.is_cut:
                raise _EndedError(*self._out_of_time())
            seen = assess(self.observations, step)
            self.assessments.append(seen)
            if purpose is Purpose.BASELINE and seen.failure and not step.problems:
                failures += 1
                if failures == _FAILED_ALONE:
                    raise _EndedError(End.TARGET_UNHEALTHY, f"every task of a lone user failed ({seen.failure})")
                continue
            if seen.verdict is StepVerdict.UNREACHABLE and purpose is Purpose.RECOVERY:
                raise _EndedError(End.TARGET_UNHEALTHY, f"the server no longer answers ({seen.failure})")
            if purpose is Purpose.RECOVERY and step.recovery_s is None:
                return seen  # what is left of the overload was measured, not the level
            if seen.verdict is not StepVerdict.INVALID:
                self.observations.add(step)
                self.timing.learn(seen)
                return seen
        raise _EndedError(End.GENERATOR_BOUND, "; ".join(seen.step.problems))


def _middle_s(seen: Assessment) -> float:
    """What the median task of a step took, in seconds; without any, no time at all."""
    took = sorted(record.elapsed_s for record in seen.step.records)
    return took[len(took) // 2] if took else 0.0
