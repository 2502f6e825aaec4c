"""What a sweep and its search say to each other: points are asked for and told, in the order of the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from espalier.core.record import TrialRecord
from espalier.core.searching import Point, Search, Told
from espalier.sweep.objectives import Objective, for_search


@dataclass
class Proposals:
    """The search, and which trial bears which of its numbers.

    Attributes:
        most: points that are asked for; None: until the search has no further one.
        asked: numbers of trials, in the search's order.
        objectives: those that the search was started with.
    """

    search: Search
    most: int | None
    objectives: Sequence[Objective]
    asked: list[int] = field(default_factory=list)
    is_over: bool = False
    _heard: dict[int, Told] = field(default_factory=dict)  # by the search's number: its last word

    def take_up(self, trials: Mapping[int, TrialRecord], known: Sequence[Objective]) -> None:
        """Tell a new search what an earlier driver's was asked and told.

        Args:
            trials: the record.
            known: the objectives, with what ``auto`` turned out to be.
        """
        for number in sorted(trials):
            trial = trials[number]
            if trial.configuration != number:
                continue  # a further seed
            source = trials[trial.same_as] if trial.same_as is not None else trial
            told = self._told(source, known)
            self.search.replay(len(self.asked), trial.point, told)
            if told:
                self._heard[len(self.asked)] = told
            self.asked.append(number)

    def total(self) -> int | None:
        """How many points there will be, as far as that is known."""
        sizes = [size for size in (self.most, self.search.size()) if size is not None]
        return len(self.asked) if self.is_over else min(sizes, default=None)

    @property
    def has_more(self) -> bool:
        """Whether a further point may be asked for, as far as that is known."""
        total = self.total()
        return not self.is_over and (total is None or total > len(self.asked))

    def next(self, trial: int) -> Point | None:
        """The next point, for the trial that bears this number; None where there is no further one."""
        if self.is_over or (self.most is not None and len(self.asked) >= self.most):
            self.is_over = True
            return None
        point = self.search.ask(len(self.asked))
        if point is None:
            self.is_over = True
            return None
        self.asked.append(trial)
        return point

    def tell(self, trials: Mapping[int, TrialRecord], trial: TrialRecord, known: Sequence[Objective]) -> None:
        """What became of a trial, and of those that are the same as it."""
        told = self._told(trial, known)
        if told is None:
            return
        for ordinal, number in enumerate(self.asked):
            is_it = number == trial.trial or trials[number].same_as == trial.trial
            if is_it and self._heard.get(ordinal) != told:
                self._heard[ordinal] = told
                self.search.tell(ordinal, told)

    def _told(self, trial: TrialRecord, known: Sequence[Objective]) -> Told | None:
        if trial.state == "done":
            return Told("done", for_search(self.objectives, known, trial.values))
        if trial.state in ("paused", "stopped"):
            return self._cut(trial, known)
        if trial.state == "infeasible" or trial.diverged:
            return Told("infeasible")
        return Told("failed") if trial.state == "failed" else None

    def _cut(self, trial: TrialRecord, known: Sequence[Objective]) -> Told:
        """Its value at its last rung, which is of the first objective unless that is a cost."""
        if not trial.rungs:
            return Told("pruned")
        validations, value = trial.rungs[-1]
        if value is None or len(known) > 1 or known[0].is_cost:
            return Told("pruned", (), validations)
        return Told("pruned", for_search(self.objectives, known, [value]), validations)
