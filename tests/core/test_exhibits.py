from __future__ import annotations

from pathlib import Path

from espalier.core.exhibits import Pictures, Table, Texts, read_exhibits, write_exhibits


def test_they_come_back_as_they_were(tmp_path: Path) -> None:
    pictures = Pictures("samples", "iVBORw0=", 5, note="of step 3")
    exhibits = [Table("ranks", ("layer", "rank"), (("a", "3"), ("b", "0"))), Texts("said", (("", "ü\n"),)), pictures]
    write_exhibits(tmp_path / "exhibits" / "test.jsonl", exhibits)
    assert read_exhibits(tmp_path / "exhibits" / "test.jsonl") == exhibits
    assert read_exhibits(tmp_path / "none.jsonl") == []


def test_what_a_later_version_wrote_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(
        '{"kind": "sound", "title": "x"}\n{"kind": "texts", "title": "t", "items": [], "new": 1}\n'
    )
    assert read_exhibits(tmp_path / "a.jsonl") == [Texts("t", ())]
