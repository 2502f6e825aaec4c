"""A measured row is measured again where its experiment's config or code changed, and not where another's did."""

import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture(autouse=True)
def _scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(SCRIPTS), *sys.path])


def test_every_row_of_an_experiment_names_one_that_is_shipped():
    from benches.reference import ROWS

    shipped = {path.stem for path in SCRIPTS.parent.joinpath("conf", "experiment").glob("*.yaml")}
    assert {name for row in ROWS for name in row.experiments} == shipped


def test_code_of_an_experiment_is_what_a_run_of_it_may_import():
    from benches.code import modules_of

    lstm = modules_of("sst2_lstm")
    assert {"espalier.run.fit", "espalier.model.lstm", "espalier.task.classification", "espalier.core.files"} <= lstm
    assert not {"espalier.model.gan", "espalier.task.gan", "espalier.cli.train", "espalier.sweep.conduct"} & lstm
    assert "espalier.task.gan" in modules_of("mnist_gan")


def test_a_comment_changes_no_digest(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    from benches import code

    file = tmp_path / "lstm.py"
    told = []
    for text in ("a = 1\n", "a = 1  # one\n", "a = 2\n"):
        file.write_text(text)
        code.meaning.cache_clear()
        with monkeypatch.context() as here:
            here.setattr(code, "file_of", lambda module: file)
            told.append(code.meaning("espalier.model.lstm"))
    code.meaning.cache_clear()
    assert told[0] == told[1] != told[2]


def test_a_row_with_many_beside_it_has_a_table_of_its_own():
    from benches.table import block

    def figures(accuracy: float) -> list[dict[str, object]]:
        return [
            {"name": "accuracy", "unit": "%", "samples": [accuracy, accuracy + 2], "of": "mean"},
            {"name": "", "unit": "s of training", "samples": [3.0], "of": "median"},
        ]

    row = {
        "title": "Adapters", "ours": figures(80.5), "claim": "says which", "holds": True, "date": "2026-01-01",
        "machine": {"processor": "P", "cores": "2", "memory": "1 GiB"}, "versions": {},
        "beside": {f"a{i}": figures(80.5 + i) for i in range(8)},
    }  # fmt: skip
    lines = block({"adapters": row}).splitlines()
    assert "| Adapters | accuracy 81.5 ± 1.4 %, 3 s of training | a table of its own, beneath |" in lines[2]
    start = lines.index("Adapters:")
    assert lines[start + 2 : start + 5] == [
        "| | accuracy, % | s of training |", "|---|---|---|", "| a0 | 81.5 ± 1.4 | 3 |",
    ]  # fmt: skip
    row["beside"] = {"a0": figures(80.5)}
    assert "a0: accuracy" in block({"adapters": row}) and "beneath" not in block({"adapters": row})
