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
    _heard: set[int] = field(default_factory=set)  # numbers of the search's that it was told of

    def take_up(self, trials: Mapping[int, TrialRecord], known: Sequence[Objective]) -> None:
        """Tell a new search what an earlier driver's was asked and told.

        Args:
            trials: the record.
            known: the objectives, with what ``auto`` turned out to be.
        """
        for number in sorted(trials):
            trial = trials[number]
            if trial.configuration != number and trial.state != "duplicate":
                continue  # a further seed
            source = trials[trial.same_as] if trial.same_as is not None else trial
            told = self._told(source, known)
            self.search.replay(len(self.asked), trial.point, told)
            if told:
                self._heard.add(len(self.asked))
            self.asked.append(number)

    def total(self) -> int | None:
        """How many points there will be, as far as that is known."""
        sizes = [size for size in (self.most, self.search.size()) if size is not None]
        return len(self.asked) if self.is_over else min(sizes, default=None)

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
            if is_it and ordinal not in self._heard:
                self._heard.add(ordinal)
                self.search.tell(ordinal, told)

    def _told(self, trial: TrialRecord, known: Sequence[Objective]) -> Told | None:
        if trial.state == "done":
            return Told("done", for_search(self.objectives, known, trial.values))
        if trial.state in ("paused", "stopped"):
            value = trial.rungs[-1][1] if trial.rungs and len(known) == 1 else None
            return Told("pruned", () if value is None else for_search(self.objectives, known, [value]))
        if trial.state == "infeasible":
            return Told("infeasible")
        return Told("failed") if trial.state == "failed" else None
