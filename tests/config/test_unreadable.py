"""Mistakes in files of one's own: each is answered with that file and line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from espalier.core.errors import Fault

Answers = Callable[..., dict[str, Fault]]
Options = Callable[[str, str | bytes], Path]
HEAD = "# @package _global_\n"
FILES: dict[str, tuple[str | bytes, str, str, int]] = {  # text, what must be said, what is proposed, line (0: none)
    "not_yaml": (HEAD + "optimizer:\n  lr: [1,\n", "is not YAML", "", 3),
    "no_colon": (HEAD + "name: a\nwidth 64\n", "is not YAML", "", 3),
    "no_end": (HEAD + "name: a\noutput: 'outputs\nseed: 3\n", "is not YAML", "", 3),
    "tab": (HEAD + "model:\n\t- a\n", "is not YAML", "", 3),
    "twice": (HEAD + "a: 1\na: 2\n", "duplicate key a", "", 3),
    "tag": (HEAD + 'name: !!python/object/apply:os.system ["touch canary"]\n', "is not YAML", "", 2),
    "latin": (HEAD.encode() + b"name: caf\xe9\n", "is not UTF-8: byte 0xe9", "UTF-8", 2),
    "empty": ("", "holds no settings", HEAD.strip(), 0),
    "a_list": ("- a\n- b\n", "holds no settings", HEAD.strip(), 0),
    "no_header": ("optimizer:\n  lr: 3\n", "which nothing reads", HEAD.strip(), 1),
    "no_header_choices": ("# Mine.\ndefaults:\n  - override /data: csv\n", "of the whole config", HEAD.strip(), 1),
    "no_option": (HEAD + "defaults:\n  - override /model: lsmt\n", "there is no such model", "lstm", 3),
    "no_group": (HEAD + "defaults:\n  - override /modle: lstm\n", "is no group", "override /model", 3),
    "no_slash": (HEAD + "defaults:\n  - override model: lstm\n", "is no group", "override /model", 3),
    "no_base": (HEAD + "defaults:\n  - nope\n", "which is not there", "", 3),
    "no_list": (HEAD + "defaults: 3\n", "must be a list", "", 0),
    "relative": (HEAD + "defaults:\n  - nope: x\n", "there is no such experiment/nope", "slash", 3),
    "reference": (HEAD + 'name: "${"\n', "cannot be set so", "", 2),
    "unresolved": (HEAD + "name: ${optimizer.lrr}\n", 'refers to "optimizer.lrr"', "${optimizer.lr}", 2),
    "hydra_key": (HEAD + "hydra:\n  job: {chdirr: true}\n", 'hydra.job has no setting "chdirr"', "hydra.job.chdir", 3),
    "hydra_type": (HEAD + "hydra:\n  job: {chdir: perhaps}\n", "not a valid bool", "", 3),
    "kind": (HEAD + "data:\n  columns: [1]\n", "a list where a mapping", "", 0),
    "number": ("0.6\n...\n", "holds no settings", "name: value", 0),
    "endless": (HEAD + "vars: &a {b: *a}\n", "has no end: the anchor &a holds itself", "few lines", 2),
    "circle": (HEAD + "defaults: [circle]\n", "has no end", "Break the circle", 0),
    "key": (HEAD + "optimizer:\n  lrr: 3\n", 'adamw has no setting "lrr"', "optimizer.lr", 3),
    "type": (HEAD + "optimizer:\n  lr: abc\n", "is not a number", "float > 0", 3),
    "nested": (HEAD + "model:\n  encoding:\n    revisoin: x\n", 'no setting "revisoin"', "model.encoding.revision", 4),
    "root": (HEAD + "optimzer: 3\n", 'no setting "optimzer"', "optimizer", 2),
    "callback": (HEAD + "callback:\n  progres: {line_seconds: 3}\n", "is no part", "callback.progress", 3),
    "nothing": (HEAD + "defaults:\n  - override /model: null\n", "is set by nothing", "model=<option>", 0),
    "option": (HEAD + "model: lstm\n", "must be a part", "defaults list:  - override /model: lstm", 2),
    "secret": (HEAD + "tracking:\n  wandb:\n    api_key: hushhush\n", "", "", 4),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_ones_own(options: Options, answers: Answers, name: str) -> None:
    text, truth, remedy, line = FILES[name]
    folder = options(f"experiment/{name}", text)
    found = list(answers(f"experiment={name}", config_dirs=[folder]).values())
    assert found
    assert truth in found[0].truth
    assert remedy in found[0].remedy
    assert found[0].where == (f"own/experiment/{name}.yaml:{line}" if line else "")
    assert "hushhush" not in str(found)
    assert not Path("canary").exists()


def test_an_option_of_ones_own(options: Options, answers: Answers) -> None:
    folder = options("optimizer/mine", "_target_: espalier.optimizer.adamw.adamw\nlr: no\n")
    found = answers("optimizer=mine", config_dirs=[folder])
    assert found["optimizer.lr=false"].where == "own/optimizer/mine.yaml:2"
    assert found["optimizer"].where == "own/optimizer/mine.yaml:1"
    assert "needs betas" in found["optimizer"].truth and "parts" in found["optimizer"].truth


def test_what_an_option_of_ones_own_lacks_is_told_of_its_own_file(own_model: Path, answers: Answers) -> None:
    file = own_model / "model" / "bolsa.yaml"
    target = "_target_: my_parts.bolsa.Bolsa\n"
    for text, truth, where in (
        (target, "needs width", ":2"),
        ("width: 3\n", "has no _target_", ""),
        ("# Nothing.\n", "has no _target_", ""),
    ):
        file.write_text(f"defaults: [{{encoding: words}}, _self_]\n{text}")
        fault = answers("model=bolsa", "adapter=full", config_dirs=[own_model])["model"]
        assert truth in fault.truth and fault.where == f"{file}{where}"


def test_a_later_option_is_named_where_the_last_file_set_it(options: Options, answers: Answers) -> None:
    folder = options("experiment/mine", HEAD + "optimizer:\n  lr: -1\n")
    found = answers("experiment=mine", "optimizer.lr=-2", config_dirs=[folder])
    assert [(fault.what, fault.where) for fault in found.values()] == [("optimizer.lr=-2", "")]
