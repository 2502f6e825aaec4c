"""Hostile configs: none may act, and each is refused. The canary is a file that would appear."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from omegaconf import OmegaConf

from config.hostile import BUILT, CANARY, HOSTILE, PACKAGE, TOUCH
from espalier.build.instantiate import instantiate
from espalier.config.check import check
from espalier.config.compose import compose
from espalier.config.gate import gate, judge
from espalier.config.multirun import read_command
from espalier.config.saved import read, rerun
from espalier.core.errors import Fault, TrustError, UserError

WRITTEN = [name for name in HOSTILE if name != "replaced at run time"]  # that one no file shows
in_four_parts = pytest.mark.parametrize("names", [WRITTEN[part::4] for part in range(4)], ids=range(4))


@pytest.fixture(autouse=True)
def _parts(package: Callable[..., str]) -> None:
    package(PACKAGE["init"], bag=PACKAGE["bag"])
    Path("evil.py").write_text(f"open({CANARY!r}, 'w')\n")


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))  # harder than in life, where only trusted packages are found there


@pytest.fixture(autouse=True)
def _no_canary() -> Any:
    yield
    assert not Path(CANARY).exists()
    assert "evil" not in sys.modules


@pytest.mark.parametrize("name", HOSTILE)
def test_refused_wherever_it_stands(name: str) -> None:
    for tree in ({"model": HOSTILE[name]}, {"vars": {"deep": [HOSTILE[name]]}}, {"callback": {"x": HOSTILE[name]}}):
        if name == "replaced at run time":  # its source is harmless; instantiate looks at the object
            assert list(judge(tree)) == []
        else:
            with pytest.raises(TrustError):
                gate(tree)


@pytest.mark.parametrize("name", HOSTILE)
def test_never_called(name: str) -> None:
    node = OmegaConf.create({"model": {"_target_": "espalier.optimizer.adamw.adamw", "x": HOSTILE[name]}}).model
    with pytest.raises(TrustError):
        instantiate(node)
    if isinstance(HOSTILE[name], dict) and "_target_" in HOSTILE[name]:
        with pytest.raises(TrustError):
            instantiate(OmegaConf.create({"model": HOSTILE[name]}).model)


@in_four_parts
def test_refused_in_a_file_of_a_stranger(names: list[str], tmp_path: Path) -> None:
    (tmp_path / "own" / "experiment").mkdir(parents=True)
    text = yaml.safe_dump({"vars": nodes(names)}, allow_unicode=True)
    (tmp_path / "own" / "experiment" / "theirs.yaml").write_text("# @package _global_\n" + text)
    with pytest.raises(UserError) as refused:
        check(compose(["experiment=theirs"], config_dirs=[tmp_path / "own"]))
    assert all("own/experiment/theirs.yaml:" in fault.where for fault in refused.value.faults)
    assert passed(names, refused.value.faults) == []


def nodes(names: Sequence[str]) -> dict[str, Any]:
    """Hostile nodes at ``n0``, ``n1`` …"""
    return {f"n{number}": HOSTILE[name] for number, name in enumerate(names)}


def passed(names: Sequence[str], faults: Sequence[Fault]) -> list[str]:
    """Those of the ``nodes`` below ``vars`` that no fault is about."""
    refused = {key for fault in faults for key in re.findall(r"^vars\.(n\d+)\b", fault.what)}
    return [name for number, name in enumerate(names) if f"n{number}" not in refused]


@pytest.mark.parametrize("name", BUILT)
def test_what_is_judged_is_what_is_called(name: str, tmp_path: Path) -> None:
    (tmp_path / "own" / "experiment").mkdir(parents=True)
    text = yaml.safe_dump({"vars": BUILT[name], "optimizer": {"parts": {"x": "${vars.node}"}}})
    (tmp_path / "own" / "experiment" / "theirs.yaml").write_text("# @package _global_\n" + text)
    with pytest.raises(UserError):
        check(compose(["experiment=theirs"], config_dirs=[tmp_path / "own"]))
    tree = OmegaConf.create(
        {"vars": BUILT[name], "node": {"_target_": "espalier.optimizer.adamw.adamw", "x": "${vars.node}"}}
    )
    with pytest.raises(Exception, match=r"os.system|parse|\$\{"):
        instantiate(tree.node)


def test_a_text_is_not_resolved_twice() -> None:
    text = rf"\${{oc.create:{{_target_: os.system, command: {TOUCH}}}}}"
    tree = OmegaConf.create({"node": {"_target_": "espalier.optimizer.adamw.adamw", "x": text}})
    with pytest.raises(TrustError, match="once more"):
        instantiate(tree.node)


@pytest.mark.parametrize(
    "word",
    [
        "model._target_=os.system",
        "+model.x={_target_:os.system}",
        "vars.x=[{_target_:os.system}]",
        "_target_=os.system",
        "hydra.launcher._target_=os.system",
        "hydra.sweeper._target_=my_parts.bag.Bag",
        "+hydra.callbacks.x={_target_:os.system}",
        "+hydra.job_logging.handlers.x={class:evil.Handler}",
        "+hydra.hydra_logging.handlers.x={'()':os.system}",
        "+hydra.job_logging.filters.x={'()':evil.Filter}",
        "hydra.job_logging.handlers.console.class=evil.Handler",
        "hydra/launcher=evil",
        "hydra/job_logging=evil",
    ],
)
def test_refused_on_the_command_line(word: str) -> None:
    with pytest.raises(UserError):
        check(compose([word]))


@pytest.mark.parametrize(
    "hydra",
    [
        {"callbacks": {"x": {"_target_": "os.system", "command": TOUCH}}},
        {"launcher": {"_target_": "evil.Launcher"}},
        {"job_logging": {"handlers": {"x": {"class": "evil.Handler"}}}},
        {"job_logging": {"handlers": {"x": {"()": "os.system"}}}},
        {"hydra_logging": {"root": {"x": {"()": "evil.x"}}}},
        {"sweeper": {"_target_": "my_parts.bag.Bag"}},
    ],
    ids=str,
)
def test_refused_in_hydras_own_node(hydra: Any, tmp_path: Path) -> None:
    (tmp_path / "own" / "experiment").mkdir(parents=True)
    text = "# @package _global_\n" + yaml.safe_dump({"hydra": hydra})
    (tmp_path / "own" / "experiment" / "theirs.yaml").write_text(text)
    with pytest.raises(UserError):
        check(compose(["experiment=theirs"], config_dirs=[tmp_path / "own"]))


@in_four_parts
def test_refused_in_a_run_directory_that_was_changed(names: list[str], tmp_path: Path) -> None:
    config = OmegaConf.to_container(compose([]).config)
    assert isinstance(config, dict)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({**config, "vars": nodes(names)}, allow_unicode=True))
    origin = {"schema": 1, "choices": {}, "overrides": [], "config_dirs": []}
    (tmp_path / "origin.yaml").write_text(yaml.safe_dump(origin))
    for experiment in (read(tmp_path), rerun(tmp_path, ["seed=1"])):
        with pytest.raises(TrustError) as refused:
            check(experiment)
        assert passed(names, refused.value.faults) == []


@pytest.mark.parametrize("file", ["config.yaml", "origin.yaml"])
@pytest.mark.parametrize(
    "text", ['!!python/object/apply:os.system ["touch canary"]', "", "[1", "- a", "3", "schema: [", "schema: 1"]
)
def test_a_run_directory_that_is_none(file: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("a: 1")
    (tmp_path / "origin.yaml").write_text("schema: 1\nchoices: {}\noverrides: []\nconfig_dirs: []\n")
    (tmp_path / file).write_text(text)
    with pytest.raises(UserError):
        check(read(tmp_path))


def test_words_kept_in_a_run_directory_are_judged(tmp_path: Path) -> None:
    config = OmegaConf.to_container(compose([]).config)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    words = ["+vars.x={_target_: os.system}", "hydra.searchpath=[pkg://evil]"]
    (tmp_path / "origin.yaml").write_text(
        yaml.safe_dump({"schema": 1, "choices": {}, "overrides": words, "config_dirs": []})
    )
    with pytest.raises(TrustError):
        check(rerun(tmp_path, ["model=lstm", "adapter=full"]))


@pytest.mark.parametrize(
    "target",
    ["my_parts.bag.Bag", "my_parts.Bag", "my_parts.Sack", "my_parts.Shell", "my_parts.bag.Leaf", "my_parts.make_bag"],
)
def test_a_package_of_ones_own_works(target: str) -> None:
    tree = OmegaConf.create({"model": {"_target_": target, "width": 5}})
    gate({"model": {"_target_": target, "width": 5}})
    made = instantiate(tree.model, "facts")
    assert target.endswith("Leaf") or made.width == 5


@pytest.mark.parametrize("target", ["my_parts.Bag", "my_parts.Shell", "my_parts.bag.Leaf", "my_parts.make_bag"])
def test_settings_of_ones_own_part_are_checked(target: str, tmp_path: Path) -> None:
    (tmp_path / "own" / "model").mkdir(parents=True)
    file = tmp_path / "own" / "model" / "mine.yaml"
    file.write_text(f"_target_: {target}\nwidth: 3\n")
    words = ["model=mine", "adapter=full"]
    tree = compose(words, config_dirs=[tmp_path / "own"])
    # `encoding` is what assemble asks of a model; without it only that is missing.
    file.write_text(f"_target_: {target}\nwidth: many\nwidht: 3\n")
    with pytest.raises(UserError) as refused:
        check(compose(words, config_dirs=[tmp_path / "own"]))
    said = {fault.what for fault in refused.value.faults}
    assert {"model.width=many"} <= said
    assert target == "my_parts.bag.Leaf" or "model.widht=3" in said
    check(tree)


def test_stock_nodes_of_hydra_pass() -> None:
    check(compose(["hydra.job.chdir=true"]))


def test_the_refusal_says_how_to_trust() -> None:
    (fault,) = judge({"model": {"_target_": "somebodys.Net"}})
    assert "espalier trust somebodys" in fault.remedy
    (fault,) = judge({"model": {"_target_": "my_parts.Nett"}})
    assert "is no class or function that my_parts defines" in fault.truth
    (fault,) = judge({"model": {"_target_": "my_parts.Net"}})
    assert "leads out of my_parts, to subprocess" in fault.truth


def test_a_projects_folder_is_not_taken_for_the_package_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "proj" / "proj").mkdir(parents=True)
    (tmp_path / "proj" / "proj" / "__init__.py").touch()
    (tmp_path / "proj" / "pyproject.toml").touch()
    monkeypatch.setenv("ESPALIER_TRUST", "proj,my_parts")
    (fault,) = judge({"data": {"_target_": "proj.messages.Messages"}})
    assert fault.truth == "cannot be looked up: the folder proj here is no package."
    assert fault.remedy == "Install it, or run where it lies."
    (fault,) = judge({"data": {"_target_": "my_parts.messages.Messages"}})
    assert fault.remedy == "Check the name."


def test_a_source_that_is_no_python_is_named_with_its_line(package: Callable[..., str]) -> None:
    package(bag="import torch\n\nclass Bag(:\n")
    (fault,) = judge({"model": {"_target_": "my_parts.bag.Bag"}})
    assert fault.truth == "cannot be looked up: its source is no Python (invalid syntax)."
    assert fault.remedy == "Mend  my_parts/bag.py:3"


def test_a_sweeps_settings_stand_at_their_node_only() -> None:
    node = {"_target_": "espalier.sweep.settings.Settings"}
    gate({"sweep": node})
    with pytest.raises(TrustError):
        gate({"model": node})
    with pytest.raises(TrustError):
        gate({"sweep": {"_target_": "espalier.sweep.settings.dataclass"}})


def test_a_presets_target_of_a_stranger_is_refused_before_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "search").mkdir()
    (tmp_path / "search" / "mine.yaml").write_text("# Mine.\n_target_: os.system\n")
    with pytest.raises(UserError, match="os"):
        read_command(["search=mine", "seed=0,1"], [tmp_path])


@pytest.mark.parametrize("word", ["_args_", "_partial_", "_recursive_", "_convert_", "_metadata_", "__class__", "_x_"])
def test_words_that_change_how_code_is_called_are_refused(word: str) -> None:
    (fault,) = judge({"optimizer": {"_target_": "espalier.optimizer.adamw.adamw", word: "os.system"}})
    assert fault.what == f"optimizer.{word}" and "Take it out" in fault.remedy
    assert list(judge({"vars": {word: "os.system"}})) == []  # calls nothing
