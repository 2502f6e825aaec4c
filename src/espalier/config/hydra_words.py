"""Which words of ``-m`` belong to the sweep, and what Hydra's own spellings of them mean here."""

from __future__ import annotations

from collections.abc import Sequence

from espalier.config.foreign_words import option_remedy
from espalier.config.words import Word
from espalier.core.errors import Fault

GROUPS = ("sweep", "search", "pruning", "launcher")
_STOCK = {"hydra/sweeper": "basic", "hydra/launcher": "basic"}
_GROUPS = {"hydra/launcher": "launcher", "hydra/sweeper": "search"}
_NODES = {"hydra.launcher.": "launcher.", "hydra.sweeper.": "search."}
# What people know from Hydra and its sweepers, and what it is called here.
_SAME = {"hydra.sweeper.n_trials": "sweep.trials", "hydra.sweeper.seed": "sweep.seed"}
_OURS = {
    "hydra.sweep.dir": "Sweeps are made in  output=DIR ; one goes on with  sweep.dir=DIR",
    "hydra.sweep.subdir": "A trial's directory is  trials/<number>  of its sweep's.",
    "hydra.run.dir": "Sweeps are made in  output=DIR",
    "hydra.sweeper.direction": "The task says it; other objectives:  sweep.objectives=[cost.train_seconds:min]",
    "hydra.sweeper.n_jobs": "How many run at once is the launcher's:  see  espalier explain launcher",
    "hydra.launcher.n_jobs": "How many run at once is the launcher's:  see  espalier explain launcher",
    "hydra.sweeper.params": "Write them as words:  'optimizer.lr=interval(1e-5,1e-2)'",
    "hydra.sweeper.max_batch_size": "There are no batches here: a free place gets the next trial.",
}
_SWEEPERS = {"optuna": "sweep=tpe", "ax": "sweep=gp", "nevergrad": "sweep=cmaes"}
_LAUNCHERS = {
    "submitit_slurm": "launcher=slurm",
    "submitit_local": "launcher=pool",
    "joblib": "launcher=pool",
    "rq": "launcher=ray",
}


def belongs_to_sweep(word: Word) -> bool:
    """Whether a word is one of the sweep's, in our spelling or Hydra's."""
    head = word.key.partition(".")[0].partition("/")[0]
    return head in GROUPS or word.key == "hydra.mode" or word.key.startswith(_HYDRAS)


_HYDRAS = ("hydra/launcher", "hydra/sweeper", "hydra.launcher.", "hydra.sweeper.", "hydra.sweep.", "hydra.run.dir")


def of_a_sweep(word: Word) -> Fault | None:
    """The fault of a sweep's word where there is one experiment only."""
    if word.key.partition(".")[0] not in GROUPS:
        return None
    remedy = option_remedy(word.key, str(word.override.value()))[0] if word.key in GROUPS else ""
    truth = "is of a sweep, and this is one experiment."
    return Fault(word.typed, truth, f"Add  -m . {remedy}" if remedy else "Add  -m , or leave it out.")


def translated(words: Sequence[Word]) -> tuple[bool, list[Fault], list[str]]:
    """Whether Hydra's own sweeper and launcher are meant; faults; the words in our spelling, presets first."""
    plain = [word for word in words if not word.override.is_sweep_override()]
    faults = [
        Fault(word.typed, "sweeps over the sweep's own settings.", "Give it one value.")
        for word in words
        if word not in plain
    ]
    stock = {word.key for word in plain if word.key in _STOCK and _STOCK[word.key] == word.override.value()}
    if len(stock) == 1:
        (alone,) = stock
        (other,) = _STOCK.keys() - stock
        remedy = f"Add  {other}=basic . One after the other with a record:  launcher=inline"
        faults.append(Fault(f"{alone}=basic", f"goes with {other}=basic only.", remedy))
    ours: list[str] = []
    for word in plain:
        if word.key in stock or word.key == "hydra.mode":
            continue
        read = _ours(word)
        if isinstance(read, Fault):
            faults.append(read)
        else:
            ours.append(read)
    return len(stock) == len(_STOCK), faults, ours


def foreign(word: Word) -> Fault | None:
    """A word that sweeps over Hydra's own settings."""
    if word.override.is_sweep_override() and word.override.is_hydra_override():
        return Fault(word.typed, "sweeps over Hydra's own settings.", "Give it one value.")
    return None


def _ours(word: Word) -> str | Fault:
    key, value = word.key, word.typed.partition("=")[2]
    for theirs, remedy in _OURS.items():
        if key == theirs or key.startswith(f"{theirs}."):
            return Fault(word.typed, "is Hydra's, and does not act here.", remedy)
    if key in _SAME:
        return f"{_SAME[key]}={value}"
    if group := _GROUPS.get(key):
        if known := (_SWEEPERS if group == "search" else _LAUNCHERS).get(value):
            return Fault(word.typed, "is a plug-in of Hydra's, which is not needed here.", f"Write  {known}")
        return f"{group}={value}"
    for theirs, ours in _NODES.items():
        if key.startswith(theirs):
            return f"{ours}{key.removeprefix(theirs)}={value}"
    if key.startswith("hydra"):
        return Fault(word.typed, "is Hydra's, and does not act here.", "See:  espalier train --help")
    return word.typed
