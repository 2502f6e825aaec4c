from __future__ import annotations

from pathlib import Path

from espalier.core.exhibits import Table, Texts, write_exhibits
from espalier.report.exhibits import exhibits_of


def test_of_a_long_training_the_first_the_last_and_some_between_are_shown(tmp_path: Path) -> None:
    for step in range(1, 31):
        write_exhibits(tmp_path / "exhibits" / f"validation-{step:08d}.jsonl", [Texts("said", (("", str(step)),))])
    moments = exhibits_of(tmp_path, texts=True).series["said"]
    steps = [moment.step for moment in moments]
    assert (len(steps), steps[0], steps[-1]) == (8, 1, 30) and steps == sorted(steps)


def test_the_datas_own_texts_are_left_out_where_they_must_not_go(tmp_path: Path) -> None:
    table, texts = Table("ranks", ("a",), (("1",),)), Texts("said", (("", "secret"),))
    write_exhibits(tmp_path / "exhibits" / "test.jsonl", [table, texts])
    assert exhibits_of(tmp_path, texts=True).final == [table, texts]
    assert exhibits_of(tmp_path, texts=False).final == [table]
    assert exhibits_of(tmp_path / "other", texts=True).final == []
