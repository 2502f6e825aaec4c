from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from transformers import AutoModel, AutoTokenizer

from espalier.core.facts import DataFacts
from espalier.model.encoding.pretrained import Pretrained
from espalier.model.minilm import MiniLm
from model.examples import SENTENCES, batch_of, sentences

CONF = yaml.safe_load((Path(__file__).parents[2] / "conf" / "model" / "minilm.yaml").read_text())
GIVEN = {key: CONF[key] for key in ("source", "revision", "pooling", "dropout")}


def build(facts: DataFacts, encoding: Pretrained, **changed: Any) -> MiniLm:
    return MiniLm(facts, encoding=encoding, **{**GIVEN, **changed})


@pytest.fixture(scope="module")
def parts() -> tuple[DataFacts, Pretrained, dict[str, Any]]:
    raw, facts = sentences()
    encoding = Pretrained(facts, source=CONF["source"], revision=CONF["revision"])
    return facts, encoding, batch_of(encoding.apply(raw.splits["train"]), {"text": 0}, [0, 1, 2, 3])


@pytest.fixture(scope="module")
def model(parts: tuple[DataFacts, Pretrained, dict[str, Any]]) -> MiniLm:
    return build(parts[0], parts[1])


@pytest.fixture
def batch(parts: tuple[DataFacts, Pretrained, dict[str, Any]]) -> dict[str, Any]:
    return parts[2]


def test_vectors_are_the_mean_over_tokens_and_alike_sentences_are_near(model: MiniLm, batch: dict[str, Any]) -> None:
    with torch.no_grad():
        vectors = torch.nn.functional.normalize(model.eval()(batch))
    assert vectors.shape == (4, model.width) == (4, 384)
    similar = vectors @ vectors.T
    assert similar[0, 3] > similar[1, 3] + 0.2, "cat with cat, not with dog"


def test_padding_has_no_influence(model: MiniLm, batch: dict[str, Any]) -> None:
    alone = {name: batch[name][1:2, : int(batch["text_mask"][1].sum())] for name in ("text", "text_mask")}
    with torch.no_grad():
        torch.testing.assert_close(model.eval()(alone)[0], model(batch)[1], atol=1e-5, rtol=1e-4)


def test_a_new_model_drops_out(parts: tuple[DataFacts, Pretrained, dict[str, Any]]) -> None:
    """from_pretrained leaves modules in evaluation mode, and Lightning keeps the modes it finds."""
    fresh = build(parts[0], parts[1], dropout=0.5)
    with torch.no_grad():
        assert not torch.equal(fresh(parts[2]), fresh(parts[2]))


def test_cls_is_the_first_tokens_state(parts: tuple[DataFacts, Pretrained, dict[str, Any]]) -> None:
    model = build(parts[0], parts[1], pooling="cls").eval()
    with torch.no_grad():
        states = model.trunk(input_ids=parts[2]["text"], attention_mask=parts[2]["text_mask"].long())[0]
        assert torch.equal(model(parts[2]), states[:, 0])


@pytest.mark.parametrize(("target", "layers"), [("attention", 4), ("mlp", 2), ("all_linear", 6)])
def test_targets_name_linear_layers(target: str, layers: int, model: MiniLm) -> None:
    """As PEFT matches a regex: with the whole name."""
    pattern = re.compile(MiniLm.targets[target])
    found = [module for name, module in model.trunk.named_modules() if pattern.fullmatch(name)]
    assert len(found) == 6 * layers
    assert all(isinstance(module, torch.nn.Linear) for module in found)


def test_saved_folder_loads_in_transformers(model: MiniLm, batch: dict[str, Any], tmp_path: Path) -> None:
    model.encoding.save(tmp_path)
    model.save(tmp_path)
    loaded, tokenizer = AutoModel.from_pretrained(tmp_path).eval(), AutoTokenizer.from_pretrained(tmp_path)
    inputs = tokenizer(SENTENCES, return_tensors="pt", padding=True)
    with torch.no_grad():
        states, mask = loaded(**inputs).last_hidden_state, inputs["attention_mask"].unsqueeze(-1)
        torch.testing.assert_close((states * mask).sum(1) / mask.sum(1), model.eval()(batch))
