"""What README says, done: a table with a foreign name, a model in a package of one's own, nothing of ours edited."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from e2e.console import espalier, outcome_of, run_directories

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
FAST = ("trainer.max_epochs=1", "tracking=none", "hardware=cpu", "task.bootstrap=20")


def test_own_data_set_as_the_readme_shows_it(root: Path, tmp_path: Path) -> None:
    readme = (root / "README.md").read_text()
    python, yaml = re.findall(r"```\n(# my_(?:parts/mails.py|conf/data/mails.yaml).*?)```", readme, re.DOTALL)
    for file, text in (("my_parts/mails.py", python), ("my_conf/data/mails.yaml", yaml)):
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).write_text(text)
    words = ("train", "--config-dir", "my_conf", "data=mails", "model=lstm", "adapter=full", *FAST)
    done = espalier(tmp_path, *words, env={"ESPALIER_TRUST": "my_parts"})
    assert done.returncode == 0, done.stderr
    (directory,) = run_directories(tmp_path)
    assert outcome_of(directory)["data"]["labels"] == ["no", "yes"]


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


def test_own_model_as_the_readme_shows_it(root: Path, tmp_path: Path) -> None:
    readme = (root / "README.md").read_text()
    blocks = re.findall(r"```(?:python|yaml)\n(.*?)```", readme, re.DOTALL)
    python, yaml = (re.sub(r"^   ", "", block, flags=re.MULTILINE) for block in blocks[:2])
    (tmp_path / "my_parts").mkdir()
    (tmp_path / "my_parts" / "__init__.py").touch()
    (tmp_path / "my_parts" / "mean_words.py").write_text(python)
    (tmp_path / "my_conf" / "model").mkdir(parents=True)
    (tmp_path / "my_conf" / "model" / "mean_words.yaml").write_text(yaml)
    words = ("train", "--config-dir", "my_conf", "model=mean_words", "adapter=full", "model.width=16", *FAST)

    refused = espalier(tmp_path, *words)
    assert refused.returncode == 2
    assert "espalier trust my_parts" in refused.stderr
    assert espalier(tmp_path, "trust", "my_parts").returncode == 0
    try:
        done = espalier(tmp_path, *words)
        assert done.returncode == 0, done.stderr
        (directory,) = run_directories(tmp_path)
        assert outcome_of(directory)["status"] == "done"
        wrong = espalier(tmp_path, *words, "model.witdh=3")
        assert "model.width" in wrong.stderr
    finally:
        espalier(tmp_path, "trust", "my_parts", "--remove")
