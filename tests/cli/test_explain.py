from __future__ import annotations

from pathlib import Path

import pytest

from espalier.cli.explain import main
from espalier.core.errors import ConfigError, UserError


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


def test_presets_are_listed_with_what_they_are_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text(
        "# @package _global_\n# Reviews, by\n# a bag of words. Quick.\nname: a\n"
    )
    (tmp_path / "experiment" / "bare.yaml").write_text("# @package _global_\nname: b\n")
    assert main(["experiment", "--config-dir", str(tmp_path)]) == 0
    told = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert ["experiment=mine", "Reviews, by a bag of words"] in told and ["experiment=bare"] in told
    assert any(line[0] == "experiment=sst2_lora" and line[1].startswith("SST-2 sentences") for line in told)
    assert main(["debug"]) == 0 and "debug=one_batch" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("group", "setting", "option"),
    [
        ("sweep", "trials", "sweep=gp"),
        ("pruning", "pruning", "pruning=asha"),
        ("model/encoding", "source", "model/encoding=bpe"),
    ],
)
def test_a_groups_options_are_listed_below_its_settings(
    group: str, setting: str, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([group]) == 0
    settings, _, options = capsys.readouterr().out.partition("\noptions\n")
    assert setting in settings
    (said,) = [line for line in options.splitlines() if line.split()[0] == option]
    assert len(said.split()) > 4


def test_a_word_is_no_key() -> None:
    with pytest.raises(UserError, match=r"is no key.*before it:  espalier explain optimizer\.lr experiment=sst2_lora"):
        main(["experiment=sst2_lora"])
