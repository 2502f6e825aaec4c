"""Each family of pretrained models, from its preset to a folder that plain transformers loads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch

from conf.toy_data import write_data_root
from espalier.config.check import check
from espalier.config.compose import compose
from espalier.config.saved import write as write_config
from espalier.core.rundir import create
from espalier.data.idx import read_idx
from espalier.model.source import locate
from espalier.run.fit import run
from espalier.run.stop import Stop
from model import checkpoints

pytestmark = pytest.mark.slow
ADAPTED = [("bert", option) for option in ("full", "dora", "ia3", "bitfit", "layers", "prompt", "p_tuning", "prefix")]
TRIED = [
    *((family, "lora") for family in checkpoints.FAMILIES),
    *ADAPTED, ("gpt2", "full"), ("gpt2", "prefix"), ("gpt2", "ia3"), ("t5", "full"), ("t5", "prompt"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Folders of toy data and of tiny models."""
    monkeypatch.setenv("ESPALIER_DATA", str(write_data_root(tmp_path / "data")))
    monkeypatch.setenv("ESPALIER_MODELS", str(tmp_path / "models"))
    monkeypatch.chdir(tmp_path)
    locate.cache_clear()
    yield tmp_path
    locate.cache_clear()


@pytest.mark.parametrize(("family", "adapter"), TRIED)
def test_it_trains_and_its_folder_loads_without_us(
    family: str, adapter: str, roots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints.write(roots / "models", family)
    data = "mnist" if family == "vit" else "sst2"
    directory = trained(roots, f"model={family}", f"adapter={adapter}", f"data={data}")
    outcome = json.loads((directory / "outcome.json").read_text())
    assert (outcome["status"], outcome["error"]) == ("done", "")
    assert "(sha256 " in outcome["summary"]["weights"]
    monkeypatch.chdir(directory / "model")
    predicted = pq.read_table(directory / "predictions" / "test.parquet")
    rows = rows_of(roots / "data" / data, predicted["row"].to_pylist())
    scores = readme(directory / "model")["scores"](rows)
    torch.testing.assert_close(scores, torch.tensor(predicted["scores"].to_pylist()), atol=1e-5, rtol=0)


def test_pairs_are_one_sequence_with_token_types(roots: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoints.write(roots / "models", "bert")
    lines = [f"Is the film number {n} good?,{'Yes it is' if n % 2 else 'Not at all'},{n % 2}" for n in range(96)]
    Path("pairs.csv").write_text("\n".join(["question,answer,label", *lines]) + "\n")
    columns = "data.columns={text: question, text_pair: answer, label: label}"
    directory = trained(roots, "model=bert", "adapter=full", "data=csv", "data.path=pairs.csv", columns)
    monkeypatch.chdir(directory / "model")
    predicted = pq.read_table(directory / "predictions" / "test.parquet")
    asked = [lines[row - 2].split(",") for row in predicted["row"].to_pylist()]
    assert [int(label) for *_, label in asked] == predicted["target"].to_pylist()
    scores = readme(directory / "model")["scores"]([(first, second) for first, second, _ in asked])
    torch.testing.assert_close(scores, torch.tensor(predicted["scores"].to_pylist()), atol=1e-5, rtol=0)


def test_a_folder_named_from_here_is_found_again_from_anywhere(roots: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoints.write(roots / "models", "distilbert").rename(roots / "mine")
    directory = trained(roots, "model=hub", "model.source=./mine", "adapter=probe", "data=sst2")
    assert f"source: {(roots / 'mine').resolve()}" in (directory / "config.yaml").read_text()


def trained(root: Path, *overrides: str) -> Path:
    """A run directory after two steps."""
    small = (
        "data.limit=16", "data.batch_size=8", "trainer.max_epochs=1", "hardware=cpu", "tracking=none",
        "task.bootstrap=8", "optimizer.lr=1e-2",
    )  # fmt: skip
    experiment = compose([*overrides, *small])
    check(experiment)
    directory = create(root / "outputs", "tiny")
    write_config(experiment, directory)
    with Stop(directory) as stop:
        run(experiment, directory, stop, resume=False)
    return directory


def readme(folder: Path) -> dict[str, Any]:
    """The names that the README's lines define."""
    names: dict[str, Any] = {}
    code = (folder / "README.md").read_text().split("```python\n")[1].split("```")[0]
    exec(compile(code, "README.md", "exec"), names)
    return names


def rows_of(folder: Path, numbers: list[int]) -> Any:
    """Rows of the toy data's test split by their numbers."""
    if folder.name == "mnist":
        return torch.from_numpy(read_idx(folder / "t10k-images-idx3-ubyte.gz")[numbers]).unsqueeze(1)
    lines = (folder / "test.tsv").read_text().splitlines()
    return [lines[number - 1].partition("\t")[0] for number in numbers]
