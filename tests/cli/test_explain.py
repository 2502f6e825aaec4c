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
