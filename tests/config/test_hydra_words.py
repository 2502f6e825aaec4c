from __future__ import annotations

import pytest

from espalier.config.hydra_words import belongs_to_sweep, foreign, of_a_sweep, translated
from espalier.config.words import Word, read_words


def words(*typed: str) -> list[Word]:
    return read_words(typed, sweep=True)[0]


@pytest.mark.parametrize(
    ("typed", "ours"),
    [
        ("hydra/launcher=slurm", "launcher=slurm"),
        ("hydra.launcher.partition=debug", "launcher.partition=debug"),
        ("hydra/sweeper=tpe", "search=tpe"),
        ("hydra.sweeper.startup=5", "search.startup=5"),
        ("hydra.sweeper.n_trials=40", "sweep.trials=40"),
        ("sweep=asha", "sweep=asha"),
        ("launcher.slots=2", "launcher.slots=2"),
    ],
)
def test_hydras_spellings_and_ours(typed: str, ours: str) -> None:
    assert belongs_to_sweep(*words(typed))
    assert translated(words(typed)) == (False, [], [ours])


def test_hydras_own_pair_is_kept_and_half_of_it_refused() -> None:
    assert translated(words("hydra/sweeper=basic", "hydra/launcher=basic")) == (True, [], [])
    stock, (fault,), ours = translated(words("hydra/launcher=basic"))
    assert not stock and not ours and "hydra/sweeper=basic" in fault.remedy


@pytest.mark.parametrize(
    ("typed", "remedy"),
    [
        ("hydra.sweep.dir=out", "sweep.dir=DIR"),
        ("hydra.run.dir=out", "output=DIR"),
        ("hydra/sweeper=optuna", "sweep=tpe"),
        ("hydra/launcher=submitit_slurm", "launcher=slurm"),
        ("hydra.sweeper.params.lr=x", "interval"),
        ("hydra.launcher.n_jobs=4", "launcher"),
        ("sweep=tpe,asha", "one value"),
    ],
)
def test_what_does_not_act_here_is_answered_with_what_does(typed: str, remedy: str) -> None:
    _, (fault,), ours = translated(words(typed))
    assert fault.what == typed and remedy in fault.remedy and not ours


def test_words_of_the_experiment_are_left() -> None:
    assert not any(map(belongs_to_sweep, words("model=a,b", "searching=1", "hydra.job.name=x", "seed=0,1")))
    (fault,) = [fault for word in words("hydra.job.name=a,b", "hydra.job.name=a") if (fault := foreign(word))]
    assert fault.what == "hydra.job.name=a,b"


def test_one_experiment_has_no_sweep() -> None:
    found = [fault.what for word in words("sweep=tpe", "search.startup=3", "model=lstm") if (fault := of_a_sweep(word))]
    assert found == ["sweep=tpe", "search.startup=3"]
    (fault,) = [fault for word in words("search=bayes") if (fault := of_a_sweep(word))]
    assert fault.remedy == "Add  -m . Write  search=tpe or search=gp"


def test_a_key_that_is_nulled_is_not_hydras_pair() -> None:
    stock, _, _ = translated(words("launcher=null"))
    assert not stock
