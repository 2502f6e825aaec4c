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
    assert {words.removeprefix("experiment=") for row in ROWS for words in row.runs} == shipped


def test_code_of_an_experiment_is_what_a_run_of_it_may_import():
    from benches.code import modules_of

    lstm = modules_of("experiment=sst2_lstm")
    assert {"espalier.run.fit", "espalier.model.lstm", "espalier.task.classification", "espalier.core.files"} <= lstm
    assert not {"espalier.model.gan", "espalier.task.gan", "espalier.cli.train", "espalier.sweep.conduct"} & lstm
    assert "espalier.task.gan" in modules_of("experiment=mnist_gan")


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
