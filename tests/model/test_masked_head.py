from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers import AutoModelForMaskedLM

from conf.defaults import defaults_of
from espalier.adapter.full import full
from espalier.adapter.lora import lora
from espalier.adapter.prefix import prefix
from espalier.adapter.probe import probe
from espalier.core.errors import ConfigError
from espalier.model.encoding.pretrained import Pretrained
from espalier.model.hub import Transformer
from espalier.model.masked_head import MaskedHead
from model import checkpoints
from model.examples import sentences

IDS = {"text": torch.tensor([[2, 9, 4, 11, 3]]), "text_mask": torch.ones(1, 5, dtype=torch.bool)}


def model(family: str, folder: Path, *, head: bool = False) -> Any:
    """A tiny encoder; ``head``: its checkpoint has one for masked tokens."""
    place = folder / f"{family}{head}"
    checkpoints.FAMILIES[family](place)
    if head:
        torch.manual_seed(5)
        AutoModelForMaskedLM.from_pretrained(place).save_pretrained(place)
    facts = sentences(max_length=24)[1]
    encoding = Pretrained(facts, source=str(place), revision="main")
    facts = facts.learn(**encoding.facts())
    return Transformer(facts, encoding=encoding, **defaults_of("model/hub", source=str(place), dropout=0.0))


@pytest.mark.parametrize("family", ["bert", "distilbert", "roberta"])
def test_it_is_the_library_s_own_head(family: str, tmp_path: Path) -> None:
    learner = model(family, tmp_path, head=True).eval()
    head = learner.masked_head().eval()
    whole = AutoModelForMaskedLM.from_pretrained(learner.source).eval()
    with torch.inference_mode():
        states = learner.states(IDS)[0]
        torch.testing.assert_close(head(states), whole(IDS["text"]).logits[0], atol=1e-5, rtol=1e-4)
    assert not head.fresh


@pytest.mark.parametrize("family", ["bert", "distilbert", "roberta"])
def test_where_a_checkpoint_has_none_it_begins_at_random_and_tied(family: str, tmp_path: Path) -> None:
    learner = model(family, tmp_path)
    head = learner.masked_head()
    assert head.fresh
    embeddings = learner.trunk.get_input_embeddings().weight
    assert not any(parameter is embeddings for parameter in head.parameters())  # it has one name, the trunk's
    assert not any(name.endswith(("decoder.weight", "projector.weight")) for name in head.state_dict())
    head(torch.randn(3, learner.width)).sum().backward()
    assert embeddings.grad is not None and bool(embeddings.grad.any())
    before = head(torch.ones(1, learner.width))
    with torch.no_grad():
        embeddings.mul_(2)
    assert not torch.allclose(head(torch.ones(1, learner.width)), before)


@pytest.mark.parametrize("adapt", ["full", "lora", "probe"])
def test_what_is_saved_is_what_was_trained(adapt: str, tmp_path: Path) -> None:
    learner = model("bert", tmp_path)
    learner = {"full": full, "probe": probe, "lora": adapted}[adapt](learner, sentences()[1])
    head = learner.masked_head()
    assert learner.trunk.get_input_embeddings().weight.requires_grad == (adapt == "full")
    assert all(parameter.requires_grad for parameter in head.parameters())
    for parameter in (*learner.parameters(), *head.parameters()):
        nn.init.normal_(parameter, std=0.1)
    head.eval().save(learner.eval().trunk, tmp_path / "saved")
    whole = AutoModelForMaskedLM.from_pretrained(tmp_path / "saved").eval()
    with torch.inference_mode():
        ours = head(learner.states(IDS)[0])
        torch.testing.assert_close(ours, whole(IDS["text"]).logits[0], atol=1e-5, rtol=1e-4)
        assert torch.equal(head(learner.states(IDS)[0]), ours)  # it goes on as it was


def adapted(learner: nn.Module, facts: Any) -> nn.Module:
    return lora(learner, facts, target="all_linear", rank=2, alpha=4, dropout=0.0, variant="plain")


def test_models_without_such_a_head_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a gpt2, which learns no masked tokens"):
        model("gpt2", tmp_path).masked_head()
    learner = prefix(model("bert", tmp_path), sentences(max_length=24)[1], **defaults_of("adapter/prefix"))
    with pytest.raises(ConfigError, match="what this adapter learns has no place in its weights"):
        learner.masked_head()  # type: ignore[operator]


def test_a_head_that_needs_its_encoder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: MaskedHead, states: torch.Tensor) -> torch.Tensor:
        raise AttributeError("no embeddings")

    monkeypatch.setattr(MaskedHead, "forward", broken)
    with pytest.raises(ConfigError, match="has a head that works with its encoder alone"):
        model("bert", tmp_path).masked_head()
