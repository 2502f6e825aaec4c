from __future__ import annotations

import pytest

from espalier.cli.explain import main
from espalier.core.errors import ConfigError


def test_explain(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["optimizer.lr", "experiment=sst2_lora"]) == 0
    assert "conf/experiment/sst2_lora.yaml" in capsys.readouterr().out


def test_without_a_key_it_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out.startswith("espalier explain KEY")


def test_wrong_words_are_answered_first() -> None:
    with pytest.raises(ConfigError, match="model=minilm"):
        main(["optimizer.lr", "model=minlm"])


def test_settings_of_a_sweep(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search.startup", "data=sst2", "sweep=tpe"]) == 0
    assert "conf/search/tpe.yaml" in capsys.readouterr().out
