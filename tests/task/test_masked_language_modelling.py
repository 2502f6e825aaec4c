from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch import nn
from torch.nn import functional
from transformers import AutoModelForMaskedLM

from conf.defaults import defaults_of
from espalier.adapter.full import full
from espalier.batch.batches import Batches
from espalier.core.columns import Columns, Ragged
from espalier.core.errors import ConfigError
from espalier.core.exhibits import Texts
from espalier.core.facts import Counts, DataFacts, Raw
from espalier.core.parts import Batching
from espalier.model.encoding.pretrained import Pretrained
from espalier.model.hub import Transformer
from espalier.task.masked_language_modelling import MaskedLanguageModelling
from model import checkpoints
from model.examples import run_recipe
from task.toy import gradients, lstm, sgd, trainer

ROWS = 12


def made(folder: Path, **values: Any) -> tuple[MaskedLanguageModelling, Batches, Raw]:
    """The task over a tiny BERT without a head, and running text of two documents in blocks of 12 tokens."""
    if not (folder / "bert").exists():
        checkpoints.FAMILIES["bert"](folder / "bert")
    table = pa.table({
        "row": np.arange(ROWS), "text": [checkpoints.TEXTS[row % 5] + "\n\n" for row in range(ROWS)],
        "document": [0] * 7 + [1] * 5,
    })  # fmt: skip
    splits = dict.fromkeys(("train", "validation", "test"), table)
    raw = Raw(splits, {"text": "text", "document": "id"}, {}, {"train": Counts(ROWS, ROWS)}, "f", "made here")
    facts = DataFacts.of(raw, max_length=12)
    encoding = Pretrained(facts, source=str(folder / "bert"), revision="main")
    facts = facts.learn(**encoding.facts())
    torch.manual_seed(0)
    model = Transformer(facts, encoding=encoding, **defaults_of("model/hub", source=str(folder / "bert"), dropout=0.0))
    columns = {}
    for split, rows in splits.items():
        encoded = dict(encoding.apply(rows))
        columns[split] = {"row": rows["row"].to_numpy()[encoded.pop("taken")], **encoded}  # type: ignore[index]
    settings = defaults_of("task/masked_language_modelling", seed=0, bootstrap=20, **values)
    task = MaskedLanguageModelling(full(model, facts), facts, sgd, **settings)
    return task, Batches(columns, Batching(8, 6, 0, False), facts.pad, seed=0), raw


def test_loss_is_the_cross_entropy_of_hidden_tokens(tmp_path: Path) -> None:
    task, batches, _ = made(tmp_path)
    task.eval()
    batch = next(iter(batches.val_dataloader()))
    given, chosen = task._hidden(batch, (0x4D4C4D,))
    assert bool((batch["text"][:, 0] == 2).all()) and not bool(chosen[:, 0].any())  # [CLS], never hidden
    with torch.inference_mode():
        scores = task.head(task.model[0].states({"text": given, "text_mask": batch["text_mask"]}).flatten(0, 1))
        losses = functional.cross_entropy(scores, batch["text"].flatten(), reduction="none").view_as(chosen)
        counts = task.evaluation_step(batch)
    torch.testing.assert_close(counts["counts:loss"][:, 0].float(), (losses * chosen).sum(1), rtol=1e-4, atol=1e-4)
    right = (scores.argmax(-1).view_as(chosen) == batch["text"]) & chosen
    assert counts["counts:accuracy"].tolist() == torch.stack([right.sum(1), chosen.sum(1)], 1).tolist()
    torch.testing.assert_close(
        task.evaluation_step(batch)["counts:loss"], counts["counts:loss"]
    )  # the same masks again


def test_training_s_masks_follow_seed_epoch_row_and_block(tmp_path: Path) -> None:
    task, batches, _ = made(tmp_path)
    batch = next(iter(batches.train_dataloader()))
    one, again = task._hidden(batch, (0, 0)), task._hidden(batch, (0, 0))
    assert torch.equal(one[0], again[0]) and not torch.equal(one[1], task._hidden(batch, (0, 1))[1])
    assert not torch.equal(one[1], task._hidden(batch, (1, 0))[1])
    turned = {name: value.flip(0) if isinstance(value, torch.Tensor) else value for name, value in batch.items()}
    assert torch.equal(task._hidden(turned, (0, 0))[0].flip(0), one[0])


def test_it_learns_and_beats_frequencies_and_shows_what_it_told(tmp_path: Path) -> None:
    torch.manual_seed(0)
    task, batches, raw = made(tmp_path)
    task.optimizer_factory = lambda learned, part="": {"optimizer": torch.optim.Adam(learned.parameters(), lr=0.02)}  # type: ignore[assignment]
    loop = trainer(tmp_path, max_epochs=40)
    loop.fit(task, datamodule=batches)
    loop.test(task, datamodule=batches, verbose=False)
    baseline = task.baseline(raw, "test")
    assert task.test_metrics["loss"] < 0.95 * baseline.metrics["loss"]
    assert task.test_metrics["perplexity"] == pytest.approx(np.exp(task.test_metrics["loss"]))
    assert sorted(baseline.predictions["row"].tolist()) == sorted(task.predictions()["row"].tolist())
    assert np.sum(baseline.predictions["counts:loss"], 0)[1] == np.sum(task.predictions()["counts:loss"], 0)[1]
    (shown,) = task.exhibits("test")
    assert isinstance(shown, Texts) and len(shown.items) == 3 and all("[" in text for _, text in shown.items)
    told, of = map(int, shown.items[0][0].split(" hidden")[0].split(" of "))
    assert shown.items[0][1].count("≠") == of - told


def test_micro_batches_of_unlike_lengths_make_the_step_of_the_whole(tmp_path: Path) -> None:
    task, batches, _ = made(tmp_path, share=0.3)
    columns: Columns = {"row": np.arange(3), "text": Ragged.of([[2, 9, 3], [2, *range(6, 24), 3], [2, 8, 7, 3]])}
    whole, *parts = (gradients(task, columns, dict(batches.pad), accumulate=n) for n in (1, 2, 3))
    for part in parts:
        torch.testing.assert_close(part, whole)


def test_the_training_loss_is_that_of_hidden_tokens(tmp_path: Path) -> None:
    task, batches, _ = made(tmp_path, share=0.5)
    task.eval()
    batch = next(iter(batches.train_dataloader()))
    _, chosen = task._hidden(batch, (0, 0))
    counts = task.masking.share * (batch["text_mask"].sum(1) - 2).float()
    assert int(chosen.sum()) == pytest.approx(float(counts.sum()), rel=0.1)
    assert task.training_step(batch).item() == pytest.approx(np.log(task.facts.vocab_size), rel=0.15)


def test_masks_in_a_text_are_filled(tmp_path: Path) -> None:
    task, batches, _ = made(tmp_path, shown=2)
    task.eval()
    texts = ["a [MASK] film", "nothing to fill", "[MASK][MASK]!"]
    encoding: Any = task.learner.encoding
    rows = pa.table({"text": texts})
    encoded = {name: column for name, column in encoding.apply(rows).items() if name not in ("truncated", "length")}
    batch = Batches({"test": {**encoded, "row": np.arange(3)}}, Batching(3, 3, 0, False), batches.pad, seed=0)
    with torch.inference_mode():
        (told,) = [task.predict_step(batch) for batch in batch.test_dataloader()]
    order = np.argsort(told["row"].tolist())
    found = {"rows": rows, **{name: [told[name][i] for i in order] for name in ("tokens", "scores")}}
    assert [len(tokens) for tokens in found["tokens"]] == [1, 0, 2]
    answers = task.answer(found, with_scores=True)
    first = found["tokens"][0][0][0].removeprefix("##")
    assert answers["prediction"][:2] == [f"a {first} film", "nothing to fill"]
    assert "[MASK]" not in answers["prediction"][2] and answers["prediction"][2].endswith("!")
    assert all(len(of) == 2 and of[0] >= of[1] for row in answers["scores"] for of in row)
    schema = task.answer_schema(with_scores=True)
    assert pa.table({field.name: pa.array(answers[field.name], field.type) for field in schema}).num_rows == 3


def test_what_it_saves_loads_with_transformers_alone(tmp_path: Path) -> None:
    task, _, _ = made(tmp_path)
    for parameter in task.parameters():
        nn.init.normal_(parameter, std=0.1)
    folder = tmp_path / "saved"
    folder.mkdir()
    task.eval()
    task.learner.encoding.save(folder)  # type: ignore[union-attr, operator]
    task.save(folder)
    code = (folder / "README.md").read_text().partition("```python\n")[2].partition("```")[0]
    assert len(run_recipe(code, folder)["fill"]("a [MASK] and [MASK] film")) == 2
    whole = AutoModelForMaskedLM.from_pretrained(folder).eval()
    ids, mask = torch.tensor([[2, 9, 4, 11, 3]]), torch.ones(1, 5, dtype=torch.bool)
    with torch.inference_mode():
        ours = task.head(task.model[0].states({"text": ids, "text_mask": mask})[0])
        torch.testing.assert_close(whole(ids).logits[0], ours, atol=1e-5, rtol=1e-4)
    assert json.loads((folder / "config.json").read_text())["architectures"] == ["BertForMaskedLM"]


def test_what_is_no_encoder_is_refused(tmp_path: Path) -> None:
    facts = DataFacts({"text": "text"}, {}, {}, vocab_size=9)
    settings = defaults_of("task/masked_language_modelling", seed=0)
    with pytest.raises(ConfigError, match="asks a pretrained encoder for hidden tokens, and Lstm is none"):
        MaskedLanguageModelling(lstm(), facts, sgd, **settings)
    checkpoints.FAMILIES["t5"](tmp_path / "t5")
    known = DataFacts({"text": "text"}, {}, {}, max_length=24)
    encoding = Pretrained(known, source=str(tmp_path / "t5"), revision="main")
    model = Transformer(known, encoding=encoding, **defaults_of("model/hub", source=str(tmp_path / "t5")))
    with pytest.raises(ConfigError, match="this model's tokenizer has none"):
        MaskedLanguageModelling(model, facts, sgd, **settings)
