"""The order of assembly holds for experiments that do not fit the usual mould, with no line elsewhere for them.

They are a user's: their parts and options stand in ``tests/awkward_parts``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from espalier.build.assemble import Assembly, assemble
from espalier.config.check import check
from espalier.config.compose import Experiment, compose
from espalier.config.saved import write
from espalier.core.rundir import create
from espalier.run.fit import run
from espalier.run.stop import Stop

CONF = Path(__file__).resolve().parents[1] / "awkward_parts" / "conf"


@pytest.fixture(autouse=True)
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_TRUST", "awkward_parts")


def composed(*words: str) -> Experiment:
    experiment = compose(words, config_dirs=[CONF])
    check(experiment)
    return experiment


def assembled(*words: str) -> Assembly:
    return assemble(**{str(k): v for k, v in composed(*words).config.items() if k != "_target_"})


def trained(experiment: Experiment, folder: Path) -> dict[str, Any]:
    directory = create(folder, "awkward")
    write(experiment, directory)
    with Stop(directory) as stop:
        run(experiment, directory, stop, resume=False)
    outcome: dict[str, Any] = json.loads((directory / "outcome.json").read_text())
    assert (outcome["status"], outcome["error"]) == ("done", "")
    assert (directory / "model" / "model.safetensors").is_file()
    assert (directory / "report.html").is_file()
    return outcome


def test_gan_asks_for_an_optimizer_of_each_part() -> None:
    task: Any = assembled("experiment=gan").task
    generator, discriminator = (found["optimizer"] for found in task.configure_optimizers())
    assert {id(p) for group in generator.param_groups for p in group["params"]} == set(
        map(id, task.learner.generator.parameters())
    )
    assert [o.param_groups[0]["lr"] for o in (generator, discriminator)] == [0.01, 0.004]


def test_gan_trains(tmp_path: Path) -> None:
    outcome = trained(composed("experiment=gan"), tmp_path)
    assert outcome["objective"] == "validation/distance"
    assert outcome["metrics"]["test/distance"] < 1


def test_two_heads_over_two_data_sets_train(tmp_path: Path) -> None:
    outcome = trained(composed("experiment=two_heads"), tmp_path)
    assert outcome["data"]["labels"] == {"sign": ["negative", "positive"], "quadrant": ["I", "II", "III", "IV"]}
    assert outcome["metrics"]["test/accuracy"] > 0.85


def test_translation_trains_with_a_tokenizer_of_its_own(tmp_path: Path) -> None:
    experiment = composed("experiment=translation")
    outcome = trained(experiment, tmp_path)
    assert outcome["metrics"]["test/token_accuracy"] > 0.9
    (saved,) = tmp_path.glob("*/*/model/tokenizer.json")
    assert "fünf" in json.loads(saved.read_text())["model"]["vocab"]


def test_same_seed_gives_the_same_weights_and_another_seed_others() -> None:
    first, again, other = (assembled("experiment=two_heads", f"seed={seed}").task.state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)
