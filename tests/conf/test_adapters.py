"""Every adapter on every kind of model: what is trained, kept, saved, merged; which crosses are refused, and why."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from adapter.tiny import IMAGES, Tiny, tiny_models
from conf.defaults import defaults_of
from espalier.build.transfer import merge
from espalier.core.errors import ConfigError
from espalier.core.facts import DataFacts
from espalier.model.cnn import Cnn
from espalier.model.encoding.pixels import Pixels
from espalier.state.layers import layers_of
from model.examples import SENTENCES, run_recipe, vectors
from task.toy import classification, facts_of, images, lstm, mlp

TRANSFORMERS = ("bert", "gpt2", "llama", "t5", "vit")
OURS = ("lstm", "mlp", "cnn")
TOKENS, RANK, HIDDEN, REDUCTION = 3, 2, 5, 2
# Adapter -> the values that fit models of 16 features; "parallel" is a form of bottleneck.
ADAPTERS: dict[str, dict[str, Any]] = {
    "full": {},
    "probe": {},
    "layers": {"top": 1},
    "bitfit": {},
    "lora": {"rank": RANK},
    "rslora": {"rank": RANK},
    "dora": {"rank": RANK},
    "ia3": {},
    "adalora": {"rank": 1, "first_rank": RANK},
    "prompt": {"tokens": TOKENS},
    "p_tuning": {"tokens": TOKENS, "hidden": 4},
    "prefix": {"tokens": TOKENS},
    "bottleneck": {"hidden": HIDDEN},
    "parallel": {"hidden": HIDDEN, "form": "parallel", "norms": False},
    "side": {"reduction": REDUCTION},
}
OF_WEIGHTS = ("lora", "rslora", "dora", "ia3", "adalora")
OF_LAYERS = (*OF_WEIGHTS, "bottleneck", "parallel")
OF_TOKENS = ("prompt", "p_tuning", "prefix")
REFUSED: dict[tuple[str, str], str] = {
    **{(option, "lstm"): "PEFT cannot adapt this Lstm: .*Embedding" for option in ("ia3", "adalora")},
    **{(option, model): "is no transformer that reads tokens" for option in OF_TOKENS for model in ("vit", *OURS)},
    **{("side", model): "stands beside a transformer's layers" for model in OURS},
    **{(o, m): "names layers that are not dense" for o in ("bottleneck", "parallel") for m in ("cnn", "lstm")},
    ("layers", "lstm"): "has no list of layers",
    ("bitfit", "llama"): "has no biases to train",
    ("bitfit", "t5"): "has no biases to train",
    ("prefix", "t5"): "needs attention that takes earlier keys and values",
}
TARGETS: dict[str, str | list[str]] = {"mlp": "mlp", "cnn": "conv", "lstm": ["embedding"]}
CROSSES = [(option, model) for option in ADAPTERS for model in (*TRANSFORMERS, *OURS)]
Built = tuple[Any, dict[str, Any], DataFacts]


def each_of(crosses: list[tuple[str, str]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("option", "model"), crosses, ids=["-".join(cross) for cross in crosses])


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiny]:
    with tiny_models(tmp_path_factory.mktemp("models")) as make:
        yield make


@pytest.fixture
def build(tiny: Tiny) -> Callable[[str], Built]:
    """A new model of that name, always with the same weights; a batch with labels; facts of its data."""

    def make(model: str) -> Built:
        torch.manual_seed(0)
        if model in TRANSFORMERS:
            backbone, batch = tiny(model)
            return backbone, batch, facts_of("image" if model == "vit" else "text").learn(total_steps=20)
        if model == "lstm":
            ids = torch.tensor([[1, 2, 3], [4, 5, 0], [6, 0, 0]])
            return (
                lstm(),
                {"text": ids, "text_mask": ids > 0, "label": torch.tensor([0, 1, 2])},
                facts_of("text").learn(total_steps=20),
            )
        if model == "mlp":
            pixels = torch.tensor(images()["image"].to_pylist(), dtype=torch.uint8).view(3, 1, 4, 4)
            return mlp(), {"image": pixels, "label": torch.tensor([0, 1, 2])}, facts_of("image").learn(total_steps=20)
        raw, facts = vectors(IMAGES, "image", (1, 8, 8))
        encoding = Pixels(facts)
        encoding.fit(raw)
        backbone = Cnn(facts, encoding=encoding, **defaults_of("model/cnn", channels=[4, 6], shift=0, dropout=0.0))
        batch = {"image": torch.from_numpy(IMAGES), "label": torch.tensor([0, 1, 0, 1])}
        return backbone, batch, facts_of("image").learn(total_steps=20)

    return make


def adapt(option: str, model: str, backbone: nn.Module, facts: DataFacts) -> Any:
    """By the option's own yaml, with the small values of this file."""
    torch.manual_seed(1)
    name = {"parallel": "bottleneck"}.get(option, option)
    module = {"rslora": "lora", "dora": "lora"}.get(name, name)
    adapter = getattr(importlib.import_module(f"espalier.adapter.{module}"), module)
    values = defaults_of(f"adapter/{name}", **ADAPTERS[option])
    if "target" in values and model not in TRANSFORMERS:
        values["target"] = TARGETS[model]
    return adapter(backbone, facts, **values)


def train(task: Any, batch: dict[str, Any]) -> None:
    """Two steps; then a push, so that all that learns has moved far enough to be seen."""
    optimizer = torch.optim.SGD([p for p in task.parameters() if p.requires_grad], lr=0.2)
    for _ in range(2):
        optimizer.zero_grad()
        nn.functional.cross_entropy(task(batch), batch["label"]).backward()
        optimizer.step()
    with torch.no_grad():
        for parameter in task.learner.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter), alpha=0.1)


@each_of([cross for cross in CROSSES if cross in REFUSED])
def test_what_cannot_work_is_refused(option: str, model: str, build: Callable[[str], Built]) -> None:
    backbone, _, facts = build(model)
    with pytest.raises(ConfigError, match=REFUSED[option, model]):
        adapt(option, model, backbone, facts)


@each_of([cross for cross in CROSSES if cross not in REFUSED])
def test_it_trains_what_it_says_and_gives_it_back(
    option: str, model: str, build: Callable[[str], Built], tmp_path: Path
) -> None:
    backbone, batch, facts = build(model)
    expected = learning(option, model, backbone)
    task: Any = classification(adapt(option, model, backbone, facts), facts=facts)
    trained = {name for name, p in task.named_parameters() if p.requires_grad}
    assert sum(p.numel() for p in task.learner.parameters() if p.requires_grad) == expected
    train(task, batch)
    assert {name for name, p in task.named_parameters() if p.grad is not None} == trained
    task.eval()
    with torch.no_grad():
        answer, features = task(batch), task.learner(batch)

    checkpoint = {"state_dict": task.state_dict()}
    task.on_save_checkpoint(checkpoint)
    everything = dict(task.named_parameters()).keys()
    assert checkpoint["state_dict"].keys() & everything == (trained if model in TRANSFORMERS else everything)
    backbone, _, facts = build(model)
    again: Any = classification(adapt(option, model, backbone, facts), facts=facts).eval()
    with torch.no_grad():
        assert option == "probe" or (again.learner(batch) - features).abs().max() > 1e-4, "training changed it"
        again.load_state_dict(checkpoint["state_dict"], strict=False)
        torch.testing.assert_close(again(batch), answer, atol=1e-6, rtol=0)

    loaded_elsewhere(again, tmp_path, model, batch, features)
    adapter = again.learner.trunk
    plain = merge(again.learner)
    assert (plain.trunk is adapter) == (option not in OF_WEIGHTS)
    with torch.no_grad():
        torch.testing.assert_close(plain(batch), features, atol=1e-5, rtol=1e-5)


def loaded_elsewhere(task: Any, folder: Path, model: str, batch: dict[str, Any], features: torch.Tensor) -> None:
    """The saved folder's own lines give the same features."""
    learner = task.learner
    learner.encoding.save(folder)
    learner.save(folder)
    found = run_recipe(learner.recipe(), folder)["features"]
    if model == "lstm":
        return  # its rows are ids that no text was encoded to
    rows: Any = batch.get("image", SENTENCES)
    torch.testing.assert_close(found(rows), features, atol=1e-5, rtol=1e-5)


def learning(option: str, model: str, backbone: nn.Module) -> int:
    """How many parameters of the backbone learn, counted from the shapes of its layers."""
    part: Any = backbone
    named = list(part.trunk.named_modules())
    kinds = (nn.Conv2d,) if model == "cnn" else (nn.Linear, Conv1D)
    adaptable = [(name, layer) for name, layer in named if isinstance(layer, kinds)]
    sides = [(weight.numel() // out, out) for weight, out in (weight_of(layer) for _, layer in adaptable)]
    attended = [pair for (name, _), pair in zip(adaptable, sides, strict=True) if "tt" in name or model in OURS]
    width = part.width
    if option in ("full", "probe"):
        return sum(p.numel() for p in backbone.parameters()) * (option == "full")
    if option == "bitfit":
        return sum(p.numel() for name, p in backbone.named_parameters() if name.rpartition(".")[2].startswith("bias"))
    if option == "layers":
        last = list(layers_of(part.trunk))[-1]
        behind = {"gpt2": 2 * width, "llama": width, "t5": width, "vit": 2 * width}.get(model, 0)  # the last norm
        return sum(p.numel() for p in last.parameters()) + behind
    if model == "lstm" and option in OF_WEIGHTS:
        i, o = part.trunk.embedding.weight.shape
        return int(RANK * (i + o) + o * (option == "dora"))
    if option in ("lora", "rslora", "dora"):
        return sum(RANK * (i + o) + o * (option == "dora") for i, o in attended)
    if option in ("ia3", "adalora"):
        return sum(o if option == "ia3" else RANK * (i + o + 1) for i, o in sides)
    if option in OF_TOKENS:
        keys = 2 * 2 * (width // 2 if model == "llama" else width)  # of two layers; llama's heads share them
        network = width * 4 + 4 + 4 * 4 + 4 + 4 * width + width
        return TOKENS * (keys if option == "prefix" else width) + network * (option == "p_tuning")
    if option == "side":
        narrow = width // REDUCTION
        layer = 4 * narrow + 4 * narrow**2 + 4 * narrow + 8 * narrow**2 + 5 * narrow
        return 3 * (width + 1) * narrow + 2 * layer + 2 + 2 * narrow + (narrow + 1) * width
    places = [(16, 7), (7, 5)] if model == "mlp" else [(width, width)] * 4
    norms = [p.numel() for _, m in named if type(m).__name__.endswith("Norm") for p in m.parameters()]
    inputs = [i if option == "parallel" else o for i, o in places]
    total = sum(HIDDEN * (i + o + 1) + o for i, (_, o) in zip(inputs, places, strict=True))
    return total + (sum(norms) if option == "bottleneck" else 0)


def weight_of(layer: Any) -> tuple[torch.Tensor, int]:
    return layer.weight, layer.nf if isinstance(layer, Conv1D) else layer.weight.shape[0]
