from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from conf.defaults import defaults_of
from espalier.adapter.full import full
from espalier.adapter.lora import lora
from espalier.batch.batches import Batches
from espalier.batch.gather import Gather
from espalier.core.errors import ConfigError
from espalier.core.facts import OUT_OF_SCOPE
from espalier.core.parts import Batching
from espalier.model.encoding.characters import Characters
from espalier.model.gpt import Gpt
from espalier.task.card import rejecting_scoring
from espalier.task.classification import Classification
from espalier.task.exact import bits_of
from espalier.task.rejection import Rejection
from model.examples import run_recipe, sentences
from task.toy import LABELS, TEXTS, classification, facts_of, hub_cache, images, lstm, minilm, mlp, trainer

BACKBONES = {
    "lstm": lambda: full(lstm(), facts_of("text")),
    "mlp": lambda: full(mlp(dropout=0.2, activation="gelu"), facts_of("image")),
    "mlp-lora": lambda: low_rank(mlp(), "mlp"),
    "minilm-full": lambda: full(minilm(), facts_of("text")),
    "minilm-lora": lambda: low_rank(minilm(), "all_linear"),
}
STRANGER = """
import json, os, sys
for folder, code in json.load(sys.stdin):
    os.chdir(folder)
    exec(compile(code, folder, "exec"), {})
assert "espalier" not in sys.modules
"""


class Features(nn.Module):
    """A backbone that passes a vector through, and knows nothing of saving."""

    width = 4

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Linear(4, 4)

    def forward(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        features: torch.Tensor = self.trunk(batch["vector"])
        return features


def low_rank(backbone: nn.Module, target: str) -> nn.Module:
    adapted = lora(backbone, facts_of("text"), target=target, rank=2, alpha=4, dropout=0.1, variant="plain")
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter, std=0.05)
    return adapted


def batches(classes: int, rows: int = 40) -> Batches:
    """Vectors that a linear layer separates; a split of rows in another order."""
    generator = np.random.default_rng(0)
    label = np.arange(rows) % classes
    vector = generator.normal(size=(classes, 4))[label].astype(np.float32) * 4
    columns = {"row": np.arange(rows)[::-1].copy(), "vector": vector, "label": label}
    splits = dict.fromkeys(("train", "validation", "test"), columns)
    return Batches(splits, Batching(8, 16, 0, False), {}, seed=0)


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_it_learns_and_tells(tmp_path: Path, classes: int) -> None:
    torch.manual_seed(0)
    task = classification(Features(), facts=facts_of("text", classes), bootstrap=20)
    loop = trainer(tmp_path, max_epochs=15)
    loop.fit(task, datamodule=batches(classes))
    assert float(loop.callback_metrics[task.objective]) == 1.0
    logged = {name.removeprefix("validation/") for name in loop.callback_metrics}
    loop.test(task, datamodule=batches(classes), verbose=False)
    assert logged == set(task.test_metrics)
    assert task.test_metrics["accuracy"] == 1.0 and task.test_metrics["loss"] < 0.5
    assert task.test_intervals["accuracy"] == pytest.approx((0.912, 1.0), abs=0.001)  # of 40 rows, all right
    assert set(task.test_intervals) == {"accuracy"}  # resamples tell nothing of the others
    columns = task.predictions()
    assert columns["row"].tolist() == list(range(40))
    assert columns["target"].tolist() == columns["prediction"].tolist() == (np.arange(40)[::-1] % classes).tolist()
    assert np.stack(columns["scores"]).sum(1) == pytest.approx(1.0)


@pytest.mark.parametrize(("objective", "direction"), [("accuracy", "max"), ("auroc", "max"), ("loss", "min")])
def test_the_objective_says_which_way_is_better(objective: str, direction: str) -> None:
    task = classification(Features(), objective=objective)
    assert (task.objective, task.direction) == (f"validation/{objective}", direction)


def test_smoothing_is_for_training_only(tmp_path: Path) -> None:
    task = classification(Features(), facts=facts_of("text", 2), label_smoothing=0.4)
    loop = trainer(tmp_path)
    loop.validate(task, datamodule=batches(2), verbose=False)
    batch = next(iter(batches(2).val_dataloader()))
    rows = {"vector": torch.from_numpy(batches(2).splits["validation"]["vector"]), "label": torch.arange(40) % 2}
    wanted = functional.cross_entropy(task(rows), rows["label"]).item()
    assert float(loop.callback_metrics["validation/loss"]) == pytest.approx(wanted, abs=1e-6)
    smoothed = functional.cross_entropy(task(batch), batch["label"], label_smoothing=0.4)
    assert torch.equal(task.training_step({**batch, "scale": 0.5}), smoothed * 0.5)


@pytest.mark.parametrize("precision", ["bf16-mixed", "bf16-true"])
def test_logits_are_fp32_whatever_the_backbones_precision(precision: str) -> None:
    task = classification(Features())
    vector = torch.randn(500, 4)
    if precision == "bf16-true":
        logits = task.bfloat16()({"vector": vector.bfloat16()})
    else:
        with torch.autocast("cpu", torch.bfloat16):
            logits = task({"vector": vector})
        assert len(logits[:, 0].unique()) > 490  # rounded to bf16, many of them would be equal
    assert logits.dtype == torch.float32


@pytest.mark.parametrize("labels", [{}, {"reviews": ("a", "b"), "topics": ("c", "d")}])
def test_labels_of_no_kind_or_of_two_are_answered(labels: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(ConfigError, match="task=classification  needs data with labels of one kind"):
        classification(Features(), facts=replace(facts_of("text"), labels=labels))


def test_a_backbone_that_cannot_save_itself_leaves_its_weights(tmp_path: Path) -> None:
    classification(Features()).save(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {
        "model.safetensors", "head.safetensors", "labels.json", "README.md"
    }  # fmt: skip
    assert json.loads((tmp_path / "labels.json").read_text(encoding="utf-8")) == list(LABELS)


@pytest.mark.slow
def test_the_folders_readmes_load_them_without_us(tmp_path: Path) -> None:
    tasks, given = {}, []
    for name, make in BACKBONES.items():
        torch.manual_seed(1)
        tasks[name], folder = saved(make(), tmp_path / name)
        say = f"print('SCORES', {name!r}, json.dumps(scores({rows_of(tasks[name])}).tolist()))"
        given.append((str(folder), f"{block(folder)}\n{say}\n"))
    environment = {**os.environ, "HF_HUB_CACHE": str(hub_cache(tmp_path)), "HF_HUB_OFFLINE": "1"}
    result = subprocess.run(
        [sys.executable, "-c", STRANGER], input=json.dumps(given), env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    lines = [line.split(" ", 2) for line in result.stdout.splitlines() if line.startswith("SCORES ")]
    assert [name for _, name, _ in lines] == list(BACKBONES)
    for _, name, said in lines:
        scores, wanted = torch.tensor(json.loads(said)), live(tasks[name])
        torch.testing.assert_close(scores, wanted, atol=1e-5, rtol=0, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.parametrize(
    "backbone",
    [
        lambda: lstm(pooling="mean", layers=2),
        lambda: lstm(pooling="last"),
        lambda: lstm(pooling="last", bidirectional=False),
        lambda: minilm(pooling="cls"),
    ],
    ids=["lstm-mean", "lstm-last", "lstm-last-one-way", "minilm-cls"],
)
def test_the_readmes_lines_follow_the_models_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backbone: Any
) -> None:
    task, folder = saved(full(backbone(), facts_of("text")), tmp_path)
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    exec(compile(block(folder), "README.md", "exec"), names)
    torch.testing.assert_close(names["scores"](TEXTS), live(task), atol=1e-5, rtol=0)


@pytest.mark.parametrize("reject", ["max_probability", "energy"])
def test_the_readmes_lines_reject_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reject: str) -> None:
    torch.manual_seed(0)
    facts = facts_of("text").learn(labels={"": (*LABELS, OUT_OF_SCOPE)}, outside=True)
    task, folder = saved(full(lstm(), facts), tmp_path, facts=facts, reject=reject, reject_weight=0.5)
    rejection: Any = task.rejection
    chosen = torch.tensor([[2.0, 0.0, 0.0], [0.1, 0.0, 0.0]])
    rejection.choose(chosen, torch.tensor([0, 3]))
    task.save(folder)
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    exec(compile(block(folder), "README.md", "exec"), names)
    scores = names["scores"](TEXTS)
    assert scores.shape == (3, 4) and names["labels"][-1] == OUT_OF_SCOPE
    torch.testing.assert_close(scores, live(task), atol=1e-5, rtol=0)


def test_the_readmes_lines_decide_as_predict_does_where_fp32_cannot() -> None:
    rule = Rejection("max_probability", 0.5)
    rule.bits.copy_(bits_of(0.99999996))
    logits = torch.tensor([[gap, 0.0, -50.0] for gap in (17.1, 17.0, 17.05, 17.2, 17.3)])
    scoring = rejecting_scoring(rule.as_code())
    names: dict[str, Any] = {}
    exec(f"import torch\ndef scores(logits):\n    {scoring.scores}", names)
    wanted = rule.scores(logits)
    assert {*wanted.argmax(1).tolist()} == {0, 3}, "some are rejected, though all have 1.0 in fp32"
    assert torch.equal(names["scores"](logits).argmax(1), wanted.argmax(1))


def test_the_readmes_lines_load_a_gpt_that_was_trained_in_bf16(tmp_path: Path) -> None:
    raw, facts = sentences(texts=[*TEXTS, ""])[0], facts_of("text")
    encoding = Characters(facts, **defaults_of("model/encoding/characters"))
    encoding.fit(raw)
    model = Gpt(
        facts.learn(**encoding.facts()), **defaults_of("model/gpt", encoding=encoding, layers=1, heads=1, width=8)
    )
    task = classification(full(model, facts)).to(torch.bfloat16)
    encoding.save(tmp_path)
    task.save(tmp_path)
    names = run_recipe(block(tmp_path), tmp_path)
    torch.testing.assert_close(names["scores"](TEXTS), live(task.float()), atol=1e-5, rtol=0)


def saved(backbone: nn.Module, folder: Path, **values: Any) -> tuple[Classification, Path]:
    folder.mkdir(exist_ok=True)
    task = classification(backbone, **values)
    task.learner.encoding.save(folder)
    task.save(folder)
    return task, folder


def block(folder: Path) -> str:
    return (folder / "README.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]


def rows_of(task: Classification) -> str:
    if "image" not in task.facts.kinds:
        return repr(TEXTS)
    return f"torch.tensor({images()['image'].to_pylist()}).reshape(3, 1, 4, 4)"


def live(task: Classification) -> torch.Tensor:
    """Scores of the same rows on the way that training goes: the encoding, a padded batch, the model."""
    encoding: Any = task.learner.encoding
    table = images() if "image" in task.facts.kinds else images().drop_columns("image").append_column("text", [TEXTS])
    columns = {name: column for name, column in encoding.apply(table).items() if name != "truncated"}
    batch = Gather({**columns, "row": np.arange(3)}, encoding.facts().get("pad", {}))[np.arange(3), 1.0]
    with torch.inference_mode():
        return task.scores(task.eval()(batch))


def test_balanced_weights_are_for_training_only() -> None:
    facts = facts_of("text").learn(label_counts=(6, 2, 0), sizes={"train": 8})
    task = classification(Features(), facts=facts, class_weights="balanced", label_smoothing=0.1)
    assert task.weights is not None and task.weights[:2].tolist() == pytest.approx([8 / 12, 8 / 4])
    batch = {"vector": torch.randn(4, 4), "label": torch.tensor([0, 0, 1, 0]), "scale": 1.0}
    each = functional.cross_entropy(
        task(batch), batch["label"], weight=task.weights, label_smoothing=0.1, reduction="none"
    )
    torch.testing.assert_close(task.training_step(batch), each.mean())
    torch.testing.assert_close(
        task.loss(task(batch), batch["label"]), functional.cross_entropy(task(batch), batch["label"])
    )
    assert "weights" not in task.state_dict()
    assert classification(Features(), facts=facts).weights is None
