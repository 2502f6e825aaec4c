"""What README says, done: a table with a foreign name, a model in a package of one's own, nothing of ours edited."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from e2e.console import espalier, outcome_of, run_directories
from espalier.config.check import check
from espalier.config.compose import compose

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
FAST = ("trainer.max_epochs=1", "tracking=none", "hardware=cpu", "task.bootstrap=20")


def table(path: Path) -> Path:
    rows = [f"{'très bien' if i % 2 else 'vraiment nul'}, le numéro {i};{4 + i % 2}" for i in range(60)]
    path.write_text("\n".join(["avis;étoiles", *rows]) + "\n", encoding="utf-8")
    return path


def test_own_table_with_a_foreign_name(tmp_path: Path) -> None:
    table(tmp_path / "réponses à trier (été).csv")
    done = espalier(
        tmp_path, "train", "data=csv", "data.path=réponses à trier (été).csv", "data.columns.text=avis",
        "data.columns.label=étoiles", "model=lstm", "adapter=full", "name=réponses", *FAST,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (directory,) = run_directories(tmp_path)
    assert directory.parent.name == "réponses"
    assert outcome_of(directory)["data"]["labels"] == ["4", "5"]


def test_column_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path) -> None:
    table(tmp_path / "a.csv")
    done = espalier(
        tmp_path, "train", "data=csv", "data.path=a.csv", "data.columns.text=avi", "model=lstm", "adapter=full"
    )
    assert done.returncode == 2
    assert "avis" in done.stderr and "étoiles" in done.stderr
    assert not (tmp_path / "outputs").exists()


def test_own_model_and_data_set_as_the_readme_shows_them(root: Path, tmp_path: Path) -> None:
    for file, text in shown(root).items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    words = ("train", "--config-dir", "my_conf", "data=mails", "model=mean_words", "adapter=full", *FAST)

    refused = espalier(tmp_path, *words)
    assert refused.returncode == 2
    assert "espalier trust my_parts" in refused.stderr
    assert espalier(tmp_path, "trust", "my_parts").returncode == 0
    try:
        done = espalier(tmp_path, *words, "model.width=16")
        assert done.returncode == 0, done.stderr
        (directory,) = run_directories(tmp_path)
        outcome = outcome_of(directory)
        assert outcome["status"] == "done" and outcome["data"]["labels"] == ["no", "yes"]
        wrong = espalier(tmp_path, *words, "model.width=0", "model.witdh=3")
        assert wrong.returncode == 2 and "must be >= 1" in wrong.stderr and "model.width ?" in wrong.stderr
    finally:
        espalier(tmp_path, "trust", "my_parts", "--remove")


def shown(root: Path) -> dict[str, str]:
    """Files of a user's that README shows: path -> content."""
    readme = (root / "README.md").read_text()
    python, yaml = re.findall(r"   ```(?:python|yaml)\n(.*?)```", readme, re.DOTALL)[:2]
    files = {"my_parts/__init__.py": "", "my_parts/mean_words.py": python, "my_conf/model/mean_words.yaml": yaml}
    files = {file: re.sub(r"^   ", "", text, flags=re.MULTILINE) for file, text in files.items()}
    for block in re.findall(r"```\n(# my_(?:parts|conf)/.*?)```", readme, re.DOTALL):
        files[block.split()[1].rstrip(":")] = block
    (experiment,) = re.findall(r"```\n(# @package _global_\n.*?)```", readme, re.DOTALL)
    return {**files, "my_conf/experiment/mine.yaml": experiment}


def test_own_experiment_as_the_readme_shows_it(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_conf" / "experiment").mkdir(parents=True)
    (tmp_path / "my_conf" / "experiment" / "mine.yaml").write_text(shown(root)["my_conf/experiment/mine.yaml"])
    (tmp_path / "reviews.csv").write_text("review,stars\ngood,5\nbad,1\n")
    experiment = compose(["experiment=mine", "optimizer.lr=0.01"], config_dirs=[tmp_path / "my_conf"])
    check(experiment)
    assert experiment.choices["model"] == "bag" and experiment.values["optimizer"]["lr"] == 0.01
