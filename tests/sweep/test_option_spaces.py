from __future__ import annotations

from pathlib import Path

import pytest

from espalier.core.errors import ConfigError
from espalier.core.searching import Dimension
from espalier.sweep.option_spaces import option_space


def write(folder: Path, place: str, text: str) -> Path:
    file = folder / "space" / f"{place}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return folder


def test_keys_with_the_line_that_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    own = write(tmp_path, "model/net", "# Mine.\nsize: choice(1,2)\ninner.rate: interval(1e-5,1e-2)\n")
    assert option_space({"model": "net"}, [own]) == [
        Dimension("model.size", (1, 2), source="space/model/net.yaml:2"),
        Dimension("model.inner.rate", low=1e-5, high=1e-2, log=True, source="space/model/net.yaml:3"),
    ]


def test_of_a_list_of_options_each_has_its_own(tmp_path: Path) -> None:
    own = write(tmp_path, "callback/ema", "# Mine.\ndecay: choice(0.9,0.99)\n")
    found = option_space({"callback": ["checkpoint", "ema"], "experiment": None}, [own])
    assert [dimension.key for dimension in found] == ["callback.ema.decay"]


def test_parts_of_a_model(tmp_path: Path) -> None:
    own = write(tmp_path, "model/encoding/words", "# Mine.\nsize: choice(1,2)\n")
    assert [d.key for d in option_space({"model/encoding": "words"}, [own])] == ["model.encoding.size"]


def test_options_without_a_space(tmp_path: Path) -> None:
    assert option_space({"adapter": "probe", "model": None}, [tmp_path]) == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("# Mine.\nsize: 3\n", "model.size: 3"),
        ("# Mine.\nsize: a\n", "model.size: a"),
        ("# Mine.\nsize: [1, 2]\n", "model.size: [1, 2]"),
        ("# Mine.\nsize: interval(2,1)\n", "model.size: interval(2,1)"),
        ("- 1\n", ""),
        ("size: [\n", ""),
    ],
)
def test_files_that_say_no_space(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(ConfigError) as refused:
        option_space({"model": "net"}, [write(tmp_path, "model/net", text)])
    (fault,) = refused.value.faults
    assert fault.what == what or fault.what.endswith("net.yaml")
    assert not what or fault.where.endswith("net.yaml:2")
