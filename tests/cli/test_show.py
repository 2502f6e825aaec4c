from __future__ import annotations

import pytest
import yaml

from espalier.cli.show import show_config, show_groups, show_info
from espalier.config.compose import compose
from espalier.config.tree import plain
from espalier.core.errors import ConfigError, UserError


def shown(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_the_job(capsys: pytest.CaptureFixture[str]) -> None:
    made = compose(["seed=3"])
    show_config(made, "job", None, resolve=False)
    assert yaml.safe_load(shown(capsys)) == plain(made.config)


def test_resolved_and_a_node(capsys: pytest.CaptureFixture[str]) -> None:
    show_config(compose([]), "job", "model.encoding", resolve=True)
    assert yaml.safe_load(shown(capsys))["source"] == "sentence-transformers/all-MiniLM-L6-v2"
    show_config(compose(["seed=3"]), "job", "seed", resolve=False)
    assert shown(capsys) == "3\n"


def test_hydras_node(capsys: pytest.CaptureFixture[str]) -> None:
    made = compose(["hydra.job.chdir=true"])
    show_config(made, "hydra", "hydra.job.chdir", resolve=False)
    assert shown(capsys) == "True\n"
    show_config(made, "all", None, resolve=False)
    assert {"hydra", "model"} <= set(yaml.safe_load(shown(capsys)))


def test_secrets_are_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    show_config(compose(["vars.password=hushhush"]), "job", None, resolve=True)
    assert "hushhush" not in shown(capsys)


def test_what_is_not_there() -> None:
    with pytest.raises(UserError, match=r"model\.foo"):
        show_config(compose([]), "job", "model.foo", resolve=False)


@pytest.mark.parametrize("what", ["defaults-tree", "defaults", "searchpath"])
def test_wrong_words_come_first(what: str) -> None:
    with pytest.raises(ConfigError, match="model=minilm"):
        show_info(what, compose(["model=minlm"]))
    with pytest.raises(ConfigError, match="model=minilm"):
        show_config(compose(["model=minlm"]), "job", None, resolve=False)


def test_groups(capsys: pytest.CaptureFixture[str]) -> None:
    show_groups([])
    assert "\nmodel\n  model=bag\n  model=bert\n" in shown(capsys)


@pytest.mark.parametrize(
    ("what", "said"), [("defaults-tree", "model: lstm"), ("defaults", "model/lstm"), ("searchpath", "pkg://hydra.conf")]
)
def test_what_hydra_says(what: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    show_info(what, compose(["model=lstm", "vars.x=1", "name=réponse"]))
    assert said in shown(capsys)
