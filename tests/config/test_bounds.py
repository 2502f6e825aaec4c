from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from espalier.config.bounds import Setting, outside
from espalier.config.types import Bound
from espalier.core.machine import probe


def answers(
    bound: Bound, key: str, value: Any, siblings: dict[str, Any] | None = None, **tree: Any
) -> list[tuple[str, ...]]:
    return list(outside(bound, Setting(key, value, siblings or {}, tree)))


def test_at_most() -> None:
    bound, cpus = Bound("AtMost", ("cpus",)), probe().cpus
    assert answers(bound, "hardware.devices", cpus) == []
    assert answers(bound, "hardware.devices", "auto") == []
    ((key, truth, remedy),) = answers(bound, "hardware.devices", cpus + 1)
    assert key == "hardware.devices" and str(probe()) in truth and f"hardware.devices={cpus}" in remedy


def test_file_exists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mes données.csv").touch()
    bound = Bound("FileExists", ())
    assert answers(bound, "data.path", "mes données.csv") == []
    ((_, truth, remedy),) = answers(bound, "data.path", "mes donnees.csv")
    assert str(tmp_path) in truth and "\"data.path='mes données.csv'\"" in remedy
    assert answers(bound, "data.path", ".")[0][1] == "is a folder."
    assert answers(bound, "data.path", "nowhere/x.csv")[0][1].startswith("there is no such file")


def test_columns_of(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("review,stars\n")
    bound = Bound("ColumnsOf", ("path",))
    assert answers(bound, "data.columns", {"text": "review", "label": "stars"}, {"path": str(table)}) == []
    found = answers(bound, "data.columns", {"text": "reviews", "label": "xyz"}, {"path": str(table)})
    assert [(key, remedy) for key, _, remedy in found] == [
        ("data.columns.text", "Set  data.columns.text=review"),
        ("data.columns.label", "Set  data.columns.label=…"),
    ]
    assert all("It has: review, stars." in truth for _, truth, _ in found)


def test_columns_of_a_file_that_cannot_be_read_blame_the_path(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    bound = Bound("ColumnsOf", ("path",))
    assert answers(bound, "data.columns", {"text": "a"}, {"path": str(table)}) == []  # FileExists says it
    table.write_bytes(b"caf\xe9\n")
    ((key, truth, remedy),) = answers(bound, "data.columns", {"text": "a"}, {"path": str(table)})
    assert key == "data.path" and "0xe9" in truth and "data.encoding" in remedy


def test_offered_by() -> None:
    bound = Bound("OfferedBy", ("model", "targets"))
    minilm = {"_target_": "espalier.model.minilm.MiniLm"}
    assert answers(bound, "adapter.target", "attention", model=minilm) == []
    assert "adapter.target=" in answers(bound, "adapter.target", "nope", model=minilm)[0][2]
    lstm = answers(bound, "adapter.target", "attention", model={"_target_": "espalier.model.lstm.Lstm"})
    assert lstm == [("adapter.target", "lstm offers no targets.", "Try adapter=full.")]
    assert answers(bound, "adapter.target", "attention") == []  # of an unknown model nothing is said


def test_other_bounds_are_of_the_value_alone() -> None:
    assert answers(Bound("Ge", (1,)), "seed", 0) == []


def test_reads() -> None:
    bound, texts, pixels = Bound("Reads", ("data",)), "espalier.model.encoding.words.Words", "espalier.data.mnist.Mnist"
    model = {"_target_": "espalier.model.lstm.Lstm", "encoding": {"_target_": texts}}
    assert answers(bound, "model", model, data={"_target_": "espalier.data.csv.Csv"}) == []
    assert answers(bound, "model", model, data={"_target_": "somebody.Elses"}) == []
    assert answers(bound, "model", model) == []
    ((key, truth, _),) = answers(bound, "model", model, data={"_target_": pixels})
    assert (key, truth) == ("model", "reads text, and mnist has image.")


def test_keys() -> None:
    bound = Bound("Keys", (("validation", "test"),))
    assert answers(bound, "data.split", {"test": 0.1}) == []
    assert answers(bound, "data.split", {"validatoin": 0.1}) == [
        ("data.split.validatoin", 'data.split has no "validatoin".', "Did you mean  data.split.validation ?")
    ]
