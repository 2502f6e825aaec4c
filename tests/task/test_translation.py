from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from sacrebleu.metrics.bleu import BLEU
from torch.nn import functional

from conf.defaults import defaults_of
from espalier.batch.batches import Batches
from espalier.build.encode import encode
from espalier.core.columns import Columns, Ragged
from espalier.core.counted import compared
from espalier.core.errors import ConfigError
from espalier.core.exhibits import Table, Texts
from espalier.core.facts import DataFacts
from espalier.core.parts import Batching
from espalier.model.encoding.both_sides import BothSides
from espalier.model.seq2seq import Seq2SeqLm
from espalier.task.translation import Translation
from model import checkpoints
from model.examples import batch_of, run_recipe
from model.translated import ENGLISH, GERMAN, encoder_decoder, sides
from task.toy import gradients, lstm, trainer


def adam(learned: Any, /, part: str = "") -> dict[str, Any]:
    return {"optimizer": torch.optim.Adam(learned.parameters(), lr=0.01)}


def made(validation_rows: int = 99, **values: Any) -> tuple[Translation, Batches]:
    """A task over a small model, and its batches."""
    model, facts = encoder_decoder(width=32, hidden=32, vocab_size=330)
    values = {"bootstrap": 20, "validation_rows": validation_rows, "shown": 2, **values}
    task = Translation(model, facts, adam, **defaults_of("task/translation", **values))
    raw = sides()[0]
    task.rows = raw.splits
    batching = Batching(8, 3, 0, bucket=True)
    return task, Batches(encode(raw, model.encoding).splits, batching, facts.pad, seed=0)


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Translation, Batches]:
    """One that has the four pairs by heart."""
    task, batches = made(beams=3)
    trainer(tmp_path_factory.mktemp("fit"), max_epochs=40, limit_val_batches=0).fit(task, datamodule=batches)
    return task, batches


def measured(task: Translation, batches: Batches, folder: Path) -> dict[str, float]:
    trainer(folder).test(task, dataloaders=batches.test_dataloader(), verbose=False)
    return task.test_metrics


def test_it_learns_to_translate(learned: tuple[Translation, Batches], tmp_path: Path) -> None:
    task, batches = learned
    found = measured(task, batches, tmp_path)
    assert found["bleu"] == pytest.approx(100) and found["chrf"] == pytest.approx(100) and found["loss"] < 0.7
    rows = task.predictions()
    assert list(rows["prediction"]) == list(rows["target"]) == GERMAN
    assert {"bleu", "loss"} <= set(task.test_intervals) <= {"bleu", "chrf", "loss"}


def test_scores_are_sacrebleu_s_of_the_texts_that_were_read(tmp_path: Path) -> None:
    task, batches = made()
    found = measured(task, batches, tmp_path)
    told = list(task.predictions()["prediction"])
    assert found["bleu"] == pytest.approx(BLEU().corpus_score(told, [GERMAN]).score, abs=1e-9)
    counts = np.array(list(task.predictions()["counts:bleu"]))
    assert compared(task.counted["bleu"], counts, counts, resamples=50).p_value == 1


def test_the_loss_is_of_real_tokens_and_smoothed_as_the_formula_says() -> None:
    task, batches = made(label_smoothing=0.2)
    given = next(iter(batches.train_dataloader()))
    model: Any = task.learner
    logs = model.logits(model(given)).log_softmax(-1)
    there, target = given["target_mask"], given["target"]
    right = logs.gather(-1, target.unsqueeze(-1)).squeeze(-1)
    each = -(0.8 * right + 0.2 * logs.mean(-1))
    torch.testing.assert_close(task.training_step(given), each[there].mean() * given["scale"])


def test_the_measured_loss_is_the_plain_cross_entropy(tmp_path: Path) -> None:
    task, batches = made(label_smoothing=0.5)
    found = measured(task, batches, tmp_path)
    model: Any = task.learner.eval()
    lost, tokens = 0.0, 0
    for given in batches.test_dataloader():
        logits = model.logits(model(given)).transpose(1, 2)
        target = given["target"].masked_fill(~given["target_mask"], -1)
        lost += float(functional.cross_entropy(logits.detach(), target, ignore_index=-1, reduction="sum"))
        tokens += int(given["target_mask"].sum())
    assert found["loss"] == pytest.approx(lost / tokens, rel=1e-5)


def test_validations_translate_some_rows_and_measure_the_loss_of_all(tmp_path: Path) -> None:
    task, batches = made(validation_rows=2)
    assert task.step == 2
    trainer(tmp_path).validate(task, dataloaders=batches.val_dataloader(), verbose=False)
    kept = task._kept
    assert [text is None for text in kept["prediction"]] == [False, True, False, True]
    assert (np.asarray(kept["counts:bleu"])[1::2] == 0).all() and (np.asarray(kept["counts:loss"])[:, 1] > 0).all()
    (shown,) = task.exhibits("validation")
    assert isinstance(shown, Texts) and shown.texts
    assert [text.partition("\n")[0] for _, text in shown.items] == [f"source: {ENGLISH[i]}" for i in (0, 2)]


def test_answers_are_translations_with_their_log_probability(learned: tuple[Translation, Batches]) -> None:
    task, batches = learned
    task.eval()
    for given in batches.test_dataloader():
        found = task.predict_step({name: given[name] for name in ("source", "source_mask", "row")})
        told = task.answer(found, with_scores=True)
        assert told["translation"] == [GERMAN[row] for row in given["row"].tolist()]
        model: Any = task.learner
        logs = model.logits(model(given)).log_softmax(-1).gather(-1, given["target"].unsqueeze(-1)).squeeze(-1)
        wanted = logs.masked_fill(~given["target_mask"], 0.0).sum(1).tolist()
        assert told["score"] == pytest.approx(wanted, abs=1e-4)
    assert task.answer_schema(with_scores=False).names == ["translation"]
    assert task.answer_schema(with_scores=True).names == ["translation", "score"]


def test_the_report_shows_what_bleu_is_made_of(learned: tuple[Translation, Batches], tmp_path: Path) -> None:
    task, batches = learned
    measured(task, batches, tmp_path)
    scores, some, weak = task.exhibits("test")
    assert isinstance(scores, Table) and not scores.texts and "tok:13a" in scores.note
    assert scores.rows[0][1:5] == ("100.0 %",) * 4 and scores.rows[0][-1] == "100.0"
    assert some.title == "Translations" and weak.title == "Weakest translations" and weak.texts


def test_copying_the_source_is_what_it_must_beat() -> None:
    task, _ = made()
    found = task.baseline(sides()[0], "test")
    assert found.name == "the source, untranslated" and set(found.metrics) == {"bleu", "chrf"}
    assert found.metrics["bleu"] == pytest.approx(BLEU().corpus_score(ENGLISH, [GERMAN]).score, abs=1e-9)
    assert list(found.predictions["prediction"]) == ENGLISH


def test_the_readme_s_lines_translate_as_the_task_does(learned: tuple[Translation, Batches], tmp_path: Path) -> None:
    task, _ = learned
    model: Any = task.learner
    model.encoding.save(tmp_path)
    task.save(tmp_path)
    code = (tmp_path / "README.md").read_text().partition("```python\n")[2].partition("```")[0]
    assert "num_beams=3" in code and run_recipe(code, tmp_path)["translate"](ENGLISH) == GERMAN


def test_micro_batches_of_unlike_lengths_make_the_step_of_the_whole() -> None:
    task, batches = made(label_smoothing=0.1)
    columns: Columns = {
        "row": np.arange(3), "source": Ragged.of([[5, 1], [6, 7, 1], [8, 1]]),
        "target": Ragged.of([[5, 1], [*range(5, 24), 1], [9, 9, 1]]),
    }  # fmt: skip
    whole, *parts = (gradients(task, columns, dict(batches.pad), accumulate=n) for n in (1, 2, 3))
    for part in parts:
        torch.testing.assert_close(part, whole)


def test_a_readme_of_many_languages_says_which_one_is_written(tmp_path: Path) -> None:
    """Begun otherwise than in training, each text would be in a language of the model's choice."""
    (tmp_path / "nllb").mkdir()
    checkpoints.nllb(tmp_path / "nllb")
    facts, source = sides(max_length=48)[1], str(tmp_path / "nllb")
    given = defaults_of("model/encoding/both_sides", source=source, revision="main")
    encoding = BothSides(facts, **{**given, "source_language": "eng_Latn", "target_language": "deu_Latn"})
    facts = facts.learn(**encoding.facts())
    model = Seq2SeqLm(facts, **defaults_of("model/seq2seq", encoding=encoding, source=source))
    torch.manual_seed(3)
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.4)
    task = Translation(model.eval(), facts, adam, **defaults_of("task/translation", max_new_tokens=9)).eval()
    model.encoding.save(tmp_path)
    task.save(tmp_path)
    columns = dict(encoding.apply(pa.table({"source": ENGLISH})))
    told = task.predict_step({**batch_of(columns, facts.pad, [0, 1, 2, 3]), "row": torch.arange(4)})
    code = (tmp_path / "README.md").read_text().partition("```python\n")[2].partition("```")[0]
    found = run_recipe(code, tmp_path)
    assert found["translate"](ENGLISH) == told["translation"] and len(set(told["translation"])) > 1
    assert found["model"].generation_config.forced_bos_token_id == model.first


def test_what_cannot_be_written_is_refused() -> None:
    values = defaults_of("task/translation")
    with pytest.raises(ConfigError, match=r"this data has none to learn from: it has text, label. Choose"):
        Translation(lstm(), DataFacts({"text": "text", "label": "label"}, {}, {}), adam, **values)
    with pytest.raises(ConfigError, match=r"Lstm has no logits. Set model=encoder_decoder"):
        Translation(lstm(), DataFacts({"source": "text", "target": "target"}, {}, {}), adam, **values)
