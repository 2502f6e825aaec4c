from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch import nn
from torch.nn import functional

from conf.defaults import defaults_of
from espalier.adapter.full import full
from espalier.adapter.lora import lora
from espalier.adapter.prompt import prompt
from espalier.batch.batches import Batches
from espalier.batch.gather import Gather
from espalier.batch.packed import Packed
from espalier.build.encode import encode
from espalier.core.errors import ConfigError
from espalier.core.exhibits import Texts
from espalier.core.facts import Counts, DataFacts, Raw
from espalier.core.home import data_root
from espalier.core.parts import Batching
from espalier.model.causal_lm import CausalLm
from espalier.model.encoding.chat import Chat
from espalier.model.places import BY_PLACES
from espalier.task.instruction_tuning import InstructionTuning
from espalier.task.language_modelling import LanguageModelling
from espalier.task.sampling import Sampling, continuations
from model import checkpoints
from model.examples import run_recipe
from model.test_causal_lm import LORA
from task.toy import lstm, sgd, trainer

ROWS = [(f"Say {i}.", "twice" if i % 2 else "", f"{i} " * (1 + i % 4)) for i in range(16)]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for family in ("llama", "gpt2"):
        checkpoints.FAMILIES[family](folder / family)
    return folder


def raw_of() -> Raw:
    def table(rows: list[tuple[str, str, str]]) -> pa.Table:
        columns = dict(zip(("instruction", "input", "answer"), map(list, zip(*rows, strict=True)), strict=True))
        return pa.table({"row": np.arange(len(rows)), **columns})

    splits = {"train": table(ROWS), "validation": table(ROWS[3:9])}
    counts = {split: Counts(rows.num_rows, rows.num_rows) for split, rows in splits.items()}
    return Raw(splits, {"instruction": "text", "input": "aside", "answer": "target"}, {}, counts, "", "here")


def made(folder: Path, adapter: Any = full, *, packing: bool = True, **values: Any) -> tuple[Any, Batches, Raw]:
    """A task over a tiny pretrained model, and its batches."""
    raw = raw_of()
    facts = DataFacts.of(raw, max_length=64, packing=packing)
    encoding = Chat(facts, **defaults_of("model/encoding/chat", source=str(folder), revision="main"))
    facts = facts.learn(**encoding.facts())
    learner = adapter(CausalLm(facts, **defaults_of("model/causal_lm", encoding=encoding, source=str(folder))), facts)
    given = {"bootstrap": 20, "max_new_tokens": 9, "samples": 2, **values}
    task = InstructionTuning(learner, facts, sgd, **defaults_of("task/instruction_tuning", **given))
    batching = Batching(8, 4, 0, bucket=True, max_length=64, packing=packing)
    return task, Batches(encode(raw, encoding).splits, batching, facts.pad, seed=0), raw


def with_lora(model: Any, facts: DataFacts) -> Any:
    return lora(model, facts, **LORA)


def measured(task: Any, batches: Batches, folder: Path) -> dict[str, float]:
    trainer(folder).test(task, dataloaders=batches.val_dataloader(), verbose=False)
    found: dict[str, float] = task.test_metrics
    return found


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_packed_and_unpacked_losses_and_gradients_are_the_same(family: str, root: Path) -> None:
    task, batches, _ = made(root / family)
    task.eval()
    columns, rows = batches.splits["train"], np.arange(12)
    apart, together = (g[rows, 1.0] for g in (Gather(columns, batches.pad), Packed(columns, batches.pad, 200)))
    assert len(together["text"]) < len(apart["text"])
    losses, gradients = [], []
    for batch in (apart, together):
        task.zero_grad()
        losses.append(task.training_step(batch))
        losses[-1].backward()
        gradients.append(torch.cat([p.grad.flatten() for p in task.parameters() if p.grad is not None]))
    torch.testing.assert_close(losses[0], losses[1], atol=1e-4, rtol=0)
    torch.testing.assert_close(gradients[0], gradients[1], atol=1e-5, rtol=1e-3)


def test_the_tokens_of_answers_alone_count(root: Path, tmp_path: Path) -> None:
    task, batches, raw = made(root / "llama")
    found = measured(task, batches, tmp_path)
    encoding, lost, right = task.encoding, [], []
    for row in raw.splits["validation"].to_pylist():
        asked = f"{row['instruction']}\n\n{row['input']}" if row["input"] else row["instruction"]
        messages = [{"role": "user", "content": asked}]
        prompt = encoding.tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        tokenizer = encoding.tokenizer
        before, told = (
            tokenizer(text, add_special_tokens=False)["input_ids"]
            for text in (prompt, row["answer"] + tokenizer.eos_token)
        )
        ids = torch.tensor([[*before, *told]])
        with torch.inference_mode():
            logits = task.learner.logits(task.learner.states({"text": ids, "text_mask": ids >= 0}))[0]
        for place in range(len(before), ids.shape[1]):
            lost.append(float(functional.cross_entropy(logits[place - 1], ids[0, place])))
            right.append(int(logits[place - 1].argmax()) == int(ids[0, place]))
    assert found["loss"] == pytest.approx(np.mean(lost), rel=1e-4)
    assert found["perplexity"] == pytest.approx(np.exp(np.mean(lost)), rel=1e-4)
    assert found["accuracy"] == pytest.approx(np.mean(right))
    assert {"loss", "perplexity"} <= set(task.test_intervals) <= {"loss", "perplexity", "accuracy"}


def test_micro_batches_make_the_step_of_the_whole(root: Path) -> None:
    task, batches, _ = made(root / "llama")
    task.eval()
    packed, rows = Packed(batches.splits["train"], batches.pad, 200), np.arange(12)
    whole = task.training_step(packed[rows, 1.0])
    parts = [task.training_step(packed[rows[i::5], len(rows[i::5]) * 5 / 12]) for i in range(5)]
    torch.testing.assert_close(torch.stack(parts).mean(), whole)


def test_it_learns_and_its_baseline_is_the_model_as_it_came(root: Path, tmp_path: Path) -> None:
    task, batches, raw = made(root / "llama")
    before = measured(task, batches, tmp_path)
    told = task.predictions()
    trainer(tmp_path, max_epochs=8).fit(task, datamodule=batches)
    assert measured(task, batches, tmp_path)["loss"] < before["loss"] - 0.05
    found = task.baseline(raw, "validation")
    assert found is not None and found.name == "untuned llama"
    assert found.metrics == pytest.approx(before, rel=1e-4)
    assert found.predictions["row"].tolist() == list(told["row"])
    np.testing.assert_allclose(found.predictions["counts:loss"], told["counts:loss"], rtol=1e-4)


def test_samples_stand_beside_the_data_s_answers(root: Path, tmp_path: Path) -> None:
    task, batches, _ = made(root / "llama", samples=2)
    assert task.exhibits("validation") == []
    measured(task, batches, tmp_path)
    task.train()
    (shown,) = task.exhibits("test")
    assert isinstance(shown, Texts) and shown.texts and task.training and task.exhibits("test") == [shown]
    assert len(shown.items) == 2
    for answer, asked in shown.items:
        assert asked.startswith("### Instruction:\nSay") and "\n\n### Response:\n" in asked
        assert answer.removeprefix("The data answers: ") in [told for _, _, told in ROWS]


def test_answers_do_not_depend_on_the_rows_beside_them(root: Path) -> None:
    task, _, _ = made(root / "llama", with_lora)
    task.eval()
    asked = pa.table({"instruction": ["Say 3.", "Say it, please.", "No"], "input": ["", "twice", ""]})
    columns = {**task.encoding.apply(asked), "row": np.arange(3)}
    columns.pop("truncated")
    (batch,) = Batches({"test": columns}, Batching(4, 4, 0, bucket=True), {"text": 0}, seed=0).test_dataloader()
    told = task.predict_step(batch)
    alone = task.predict_step({**batch, **{k: batch[k][:1] for k in ("text", "text_mask", "row")}})
    assert told["prediction"][0] == alone["prediction"][0]
    assert len(task.answer(told, with_scores=True)["prediction"]) == 3
    assert task.answer_schema(with_scores=True).names == ["prediction"]


@pytest.mark.parametrize("adapter", [full, with_lora])
def test_the_readme_s_lines_answer_as_the_task_does(adapter: Any, root: Path, tmp_path: Path) -> None:
    task, batches, _ = made(root / "llama", adapter, temperature=0.0)
    trainer(tmp_path, max_epochs=3).fit(task, datamodule=batches)
    task.eval()
    task.encoding.save(tmp_path)
    task.save(tmp_path)
    code = (tmp_path / "README.md").read_text().partition("```python\n")[2].partition("```")[0]
    columns = task.encoding.apply(pa.table({"instruction": ["Say 3."]}))
    told = task.go_on([columns["text"][0].tolist()], [0], ends=task.encoding.ends)[0]
    answer = run_recipe(code, tmp_path)["answer"]
    assert answer([{"role": "user", "content": "Say 3."}]) == task.text(told)
    long = "Say 3. " * 99
    ids = task.encoding.apply(pa.table({"instruction": [long]}))["text"][0].tolist()
    assert len(ids) == task.facts.max_length and f"rows[:, -{len(ids)}:]" in code
    assert answer([{"role": "user", "content": long}]) == task.text(task.go_on([ids], [0], ends=task.encoding.ends)[0])


def test_what_does_not_fit_is_refused(root: Path) -> None:
    values = defaults_of("task/instruction_tuning")
    with pytest.raises(ConfigError, match=r"Lstm has no logits. Set model=causal_lm"):
        InstructionTuning(lstm(), DataFacts({}, {}, {}), sgd, **values)
    texts = DataFacts({"text": "text", "document": "id"}, {}, {}, max_length=32)
    encoding = Chat(texts, **defaults_of("model/encoding/chat", source=str(root / "llama"), revision="main"))
    model = CausalLm(texts, **defaults_of("model/causal_lm", encoding=encoding, source=str(root / "llama")))
    with pytest.raises(ConfigError, match=r"learns answers .*this data has text without any. Set  data=instructions"):
        InstructionTuning(model, texts.learn(**encoding.facts()), sgd, **values)
    task, _, _ = made(root / "llama")
    with pytest.raises(ConfigError, match=r"task=language_modelling .*Set  task=instruction_tuning"):
        LanguageModelling(task.learner, task.facts, sgd, **defaults_of("task/language_modelling"))


STORY = """\
Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big, red ball. She wanted to play with it, but it was too high.
Lily's mom said, "Lily, let's go to the park." Lily was sad and didn't know what to do. She said, "I want to play with your ball, but I can't find it."
Lily was sad and didn't know what to do. She said, "I'm sorry, Lily. I didn't know what to do."
Lily didn't want to help her mom, so she said, "I'm sorry, mom. I didn't know what to do." Her mom said, "Don't worry, Lily. We can help you."""  # fmt: skip  # noqa: E501
"""What llama2.c tells greedily by the same weights (doc/stories260K.md there)."""


@pytest.mark.data
def test_a_real_model_tells_its_reference_story() -> None:
    source = str(data_root() / "weights-stories260k")  # type: ignore[operator]
    facts = DataFacts({"text": "text"}, {}, {}, max_length=512)
    encoding = Chat(facts, **defaults_of("model/encoding/chat", source=source, revision="main"))
    facts = facts.learn(**encoding.facts())
    model = CausalLm(facts, **defaults_of("model/causal_lm", encoding=encoding, source=source)).eval()
    (told,) = continuations(model.next_logits, [[1]], Sampling(0), length=256, seeds=[[0]], context=model.context)
    assert encoding.decode(told).startswith(STORY)
    given = {"temperature": 0.0, "max_new_tokens": 257, "bootstrap": 8}
    task = LanguageModelling(model, facts, sgd, **defaults_of("task/language_modelling", **given)).eval()
    columns = {**encoding.apply(pa.table({"text": ["Once upon a time"]})), "row": np.arange(1)}
    (batch,) = Batches({"test": columns}, Batching(4, 4, 0, bucket=True), facts.pad, seed=0).test_dataloader()
    assert f"Once upon a time{task.predict_step(batch)['continuation'][0]}".startswith(STORY)


def test_adapters_and_models_that_do_not_keep_packed_texts_apart_are_refused_before_training(root: Path) -> None:
    def prompted(model: Any, facts: DataFacts) -> Any:
        return prompt(model, facts, tokens=3)

    with pytest.raises(ConfigError, match=r"data.packing=true .*does not keep them apart. Set  data.packing=false"):
        made(root / "llama", prompted)
    made(root / "llama", prompted, packing=False)

    class Silent(nn.Module):
        def __init__(self, model: Any) -> None:
            super().__init__()
            self.role, self.encoding, self.context, self.width = model.role, model.encoding, None, model.width
            self.states, self.logits, self.next_logits = model.states, model.logits, model.next_logits

    with pytest.raises(ConfigError, match=r"data.packing=true .*Silent does not say that it keeps them apart"):
        made(root / "llama", lambda model, _: Silent(model))


def test_packed_rows_are_learned_alike_where_attention_goes_by_places(root: Path) -> None:
    """As flash attention does: the step of a batch of several rows is that of the usual attention."""
    losses = []
    for attention in ("sdpa", BY_PLACES):
        task, batches, raw = made(root / "llama")
        task.learner.trunk.set_attn_implementation(attention)
        columns = batches.splits["train"]
        batch = Packed(columns, batches.pad, 60)[np.arange(raw.splits["train"].num_rows), 1.0]
        assert len(batch[task.role]) > 1
        losses.append(task.training_step(batch))
    torch.testing.assert_close(losses[0], losses[1])
