from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf
from torch.nn import functional
from transformers import AutoModelForSeq2SeqLM

from espalier.adapter.lora import lora
from espalier.core.errors import ConfigError
from espalier.core.facts import DataFacts
from espalier.model.encoding.both_sides import BothSides
from espalier.model.seq2seq import Seq2SeqLm
from espalier.task.beam import Search, beam_search
from model import checkpoints
from model.examples import batch_of
from model.translated import sides


def bart(folder: Path) -> None:
    """Whose positions are learned, and whose tokenizer begins texts with a token too."""
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    post = checkpoints.processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    names = dict(zip(("bos_token", "pad_token", "eos_token", "unk_token"), special, strict=True))
    sizes = {f"{side}_{what}": n for side in ("encoder", "decoder")
             for what, n in {"layers": 2, "attention_heads": 2, "ffn_dim": 24}.items()}  # fmt: skip
    config = {"d_model": 16, "max_position_embeddings": 64, "decoder_start_token_id": 2, "forced_eos_token_id": None}
    checkpoints.both(
        folder, checkpoints.bytes_of(special, post, **names),
        lambda size: hf.BartForConditionalGeneration(hf.BartConfig(vocab_size=size, **sizes, **config)),
    )  # fmt: skip


@pytest.fixture(scope="module", params=["t5", "bart", "nllb"])
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("models")
    if request.param == "t5":
        return str(checkpoints.write(root, "t5"))
    folder = root / request.param
    folder.mkdir()
    (bart if request.param == "bart" else checkpoints.nllb)(folder)
    return str(folder)


def encoded(facts: DataFacts, source: str) -> BothSides:
    codes = ("eng_Latn", "deu_Latn") if source.endswith("nllb") else (None, None)
    languages = dict(zip(("source_language", "target_language"), codes, strict=True))
    return BothSides(facts, source=source, revision="main", prefix="", **languages)


def made(source: str, max_length: int = 32) -> tuple[Any, dict[str, Any]]:
    """The model, its weights large enough to matter, and all pairs."""
    raw, facts = sides(max_length=max_length)
    encoding = encoded(facts, source)
    facts = facts.learn(**encoding.facts())
    model = Seq2SeqLm(facts, encoding=encoding, source=source, revision="main", dropout=0.0)
    torch.manual_seed(3)
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.4)
    return model.eval(), batch_of(encoding.apply(raw.splits["test"]), facts.pad, [0, 1, 2, 3])


def test_scores_are_those_that_transformers_learns_from(source: str) -> None:
    model, given = made(source)
    labels = given["target"].masked_fill(~given["target_mask"], -100)
    theirs = model.trunk(input_ids=given["source"], attention_mask=given["source_mask"].long(), labels=labels).loss
    there = given["target_mask"]
    ours = functional.cross_entropy(model.logits(model(given)[there]), given["target"][there])
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("beams", [1, 3])
def test_texts_are_those_of_generate(source: str, beams: int) -> None:
    model, given = made(source)
    found = beam_search(
        model.next_logits, model.begin(given), Search(beams, 1.0), start=model.start, end=model.end,
        limits=torch.full((4,), 10),
    )  # fmt: skip
    told = model.trunk.generate(
        input_ids=given["source"], attention_mask=given["source_mask"].long(), num_beams=beams, max_new_tokens=10,
        do_sample=False, length_penalty=1.0,
    )[:, 1:].tolist()  # fmt: skip
    theirs = [row[: row.index(model.end)] if model.end in row else row for row in told]
    assert [list(text.ids) for text in found] == theirs
    assert len({tuple(text.ids) for text in found}) > 1
    assert model.first is None or {text.ids[0] for text in found} == {model.first}


def test_what_is_saved_holds_what_lora_learned(source: str, tmp_path: Path) -> None:
    model, given = made(source)
    adapted: Any = lora(
        model, DataFacts({}, {}, {}), target="attention", rank=2, alpha=4.0, dropout=0.0, variant="plain"
    )
    for name, parameter in adapted.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(parameter)
    adapted.eval()
    adapted.save(tmp_path)
    model.encoding.save(tmp_path)
    other: Any = AutoModelForSeq2SeqLM.from_pretrained(tmp_path).eval()
    before = torch.cat([torch.full((4, 1), model.start), given["target"][:, :-1]], 1)
    theirs = other(
        input_ids=given["source"], attention_mask=given["source_mask"].long(), decoder_input_ids=before
    ).logits
    there = given["target_mask"]
    torch.testing.assert_close(adapted(given)[there], theirs[there], atol=1e-3, rtol=1e-3)
    assert model.first is None or other.generation_config.forced_bos_token_id == model.first


def test_what_cannot_write_is_refused(source: str, tmp_path: Path) -> None:
    facts = sides(max_length=32)[1]
    encoding = encoded(facts, source)
    given = {"revision": "main", "dropout": None}
    with pytest.raises(ConfigError, match="is a bert, which reads one text and writes no other"):
        Seq2SeqLm(facts, encoding=encoding, source=str(checkpoints.write(tmp_path, "bert")), **given)
    with pytest.raises(ConfigError, match=r"Set  model/encoding=both_sides"):
        Seq2SeqLm(facts, encoding=object(), source=source, **given)
    if source.endswith("bart"):
        with pytest.raises(ConfigError, match=r"data.max_length=65.*more than the 64 tokens"):
            made(source, max_length=65)
