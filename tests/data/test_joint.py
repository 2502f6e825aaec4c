from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conf.toy_data import write_table
from data.examples import FILES
from espalier.config.check import check
from espalier.config.compose import compose
from espalier.core.errors import DataError, UserError
from espalier.data.csv import Csv
from espalier.data.joint import Joint

OWN: dict[str, Any] = {
    "batch_size": 4,
    "eval_batch_size": 4,
    "limit": None,
    "max_length": 16,
    "num_workers": 0,
    "bucket": True,
}


def csv(path: Path, rows: int, **changed: Any) -> Csv:
    table = write_table(path, rows, "text,label")
    given = {**FILES, "path": str(table), "encoding": "utf-8", "delimiter": None, **changed}
    return Csv(**given)


@pytest.fixture
def joint(tmp_path: Path) -> Joint:
    none = {"validation": 0.25, "test": 0.0}
    return Joint(sources={"mood": csv(tmp_path / "a.csv", 40), "other": csv(tmp_path / "b.csv", 20, split=none)}, **OWN)


def test_rows_of_all_sources_with_their_own_labels(joint: Joint) -> None:
    raw = joint.read()
    assert raw.kinds == {"text": "text", "label": "label", "source": "id"}
    assert raw.labels == {"mood": ("0", "1"), "other": ("0", "1")} and raw.label_counts == ()
    mood, other = (source.read() for source in joint.sources.values())
    for split in ("train", "validation", "test"):
        wanted = [*mood.splits[split]["text"].to_pylist()]
        wanted += other.splits[split]["text"].to_pylist() if split in other.splits else []
        assert raw.splits[split]["text"].to_pylist() == wanted
        assert raw.counts[split].kept == len(wanted)
    rows = [row for table in raw.splits.values() for row in table["row"].to_pylist()]
    assert len(set(rows)) == len(rows) == 60
    assert raw.splits["test"]["source"].to_pylist() == [0] * mood.splits["test"].num_rows
    assert raw.origin.startswith("mood: ") and joint.batching.batch_size == 4


def test_a_source_of_very_long_texts_goes_with_a_short_one(joint: Joint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("espalier.core.arrays._MOST", 900)
    kinds = {name: source.read().splits["train"]["text"].type for name, source in joint.sources.items()}
    assert list(map(str, kinds.values())) == ["large_string", "string"]
    assert joint.read().splits["train"].num_rows == 44


def test_a_limit_is_of_all_sources_together(joint: Joint) -> None:
    raw = Joint(sources=joint.sources, **{**OWN, "limit": 10}).read()
    assert {split: table.num_rows for split, table in raw.splits.items()} == {"train": 10, "validation": 10, "test": 4}
    counts = raw.counts["train"]
    assert counts.kept == 10 and counts.dropped["limit"] == counts.read - 10
    assert set(raw.splits["train"]["source"].to_pylist()) == {0, 1}


def test_its_fingerprint_is_of_its_sources(joint: Joint, tmp_path: Path) -> None:
    before = joint.read().fingerprint
    assert joint.read().fingerprint == before
    renamed = Joint(sources=dict(zip("ab", joint.sources.values(), strict=True)), **OWN)
    assert renamed.read().fingerprint != before
    write_table(tmp_path / "b.csv", 22, "text,label")
    assert joint.read().fingerprint != before


def test_sources_must_be_alike(joint: Joint, tmp_path: Path) -> None:
    many = csv(tmp_path / "c.csv", 20, label_separator="|")
    with pytest.raises(DataError, match=r"data\.sources\.tags  has not one label for each row"):
        Joint(sources={**joint.sources, "tags": many}, **OWN).read()
    (tmp_path / "d.csv").write_text("text,label,more\n" + "".join(f"a {i},{i % 2},b {i}\n" for i in range(20)))
    columns = {"text": "text", "text_pair": "more", "label": "label"}
    of = {"path": str(tmp_path / "d.csv"), "columns": columns}
    pairs = Csv(**{**FILES, "encoding": "utf-8", "delimiter": None, **of})
    with pytest.raises(DataError, match=r"text_pair \(text\).*rows of all sources must be alike"):
        Joint(sources={**joint.sources, "pairs": pairs}, **OWN).read()


def test_the_option_is_checked_down_to_its_sources() -> None:
    assert compose(["data=news_tone"]).choices["task"] == "multi_head"
    check(compose(["data=news_tone", "data.sources.tone.limit=100"]))
    with pytest.raises(UserError, match="limt"):
        check(compose(["data=news_tone", "+data.sources.tone.limt=100"]))
    with pytest.raises(UserError, match=r"data\.sources\.tone\.limit"):
        check(compose(["data=news_tone", "data.sources.tone.limit=0"]))
    with pytest.raises(UserError, match=r"data\.sources.*must be set"):
        check(compose(["data=joint"]))


def test_a_command_line_names_two_tables(tmp_path: Path) -> None:
    words = ["data=joint"]
    for name in ("mood", "topic"):
        path = write_table(tmp_path / f"{name}.csv", 20, "text,label")
        words += [f"data@data.sources.{name}=csv", f"data.sources.{name}.path={path}"]
    experiment = compose(words)
    check(experiment)
    sources = experiment.values["data"]["sources"]
    assert list(sources) == ["mood", "topic"] and sources["topic"]["path"].endswith("topic.csv")
    assert experiment.values["task"]["_target_"].endswith("MultiHead")
    with pytest.raises(UserError, match=r"data\.sources\.mood\.path"):
        check(compose([*words, f"data.sources.mood.path={tmp_path / 'none.csv'}"]))


def test_rows_of_no_class_are_refused_in_any_source(tmp_path: Path) -> None:
    sources = {"mood": csv(tmp_path / "a.csv", 40), "other": csv(tmp_path / "b.csv", 40, outside="2")}
    (tmp_path / "b.csv").write_text("text,label\n" + "".join(f"text {i},{i % 3}\n" for i in range(60)))
    with pytest.raises(DataError, match=r"data.sources.other.outside .* Set it to null"):
        Joint(sources=sources, **OWN).read()
