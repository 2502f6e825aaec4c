from __future__ import annotations

from pathlib import Path

import pytest

from espalier.config import compose
from espalier.config.multirun import read_command
from espalier.core.searching import Dimension
from espalier.sweep.bases import Bases


def test_one_for_each_set_of_options_whatever_the_values(monkeypatch: pytest.MonkeyPatch) -> None:
    bases = Bases(read_command(["data=digits", "model=mlp,cnn", "adapter=full", "model.shift=0,1"]))
    assert [dimension.key for dimension in bases.options] == ["model"]
    assert [dimension.key for dimension in bases.keys] == ["model.shift"]
    first = bases.of({"model": "mlp", "model.shift": 0})
    assert bases.of({"model": "mlp", "model.shift": 1}) is first
    assert bases.of({"model": "cnn"}).experiment.choices["model"] == "cnn"


def test_fixed_words_stand_where_the_option_has_them() -> None:
    bases = Bases(read_command(["data=digits", "model=mlp,cnn", "adapter=full", "model.kernel=5", "model.x=1"]))
    mlp, cnn = bases.of({"model": "mlp"}), bases.of({"model": "cnn"})
    assert [fault.what for fault in mlp.absent] == ["model.kernel=5", "model.x=1"]
    assert cnn.experiment.values["model"]["kernel"] == 5 and not cnn.experiment.faults
    assert "model.kernel=5" not in mlp.experiment.overrides
    assert [fault.what for fault in bases.never_there([mlp, cnn])] == ["model.x=1"]


def test_a_key_that_an_option_lacks() -> None:
    bases = Bases(read_command(["data=digits", "model=mlp,cnn,mlpp", "adapter=full", "model.kernel=3,5"]))
    kernel = bases.keys[0]
    assert bases.of({"model": "cnn"}).lacks(kernel) is None
    assert bases.of({"model": "mlp"}).lacks(kernel) is not None
    assert bases.of({"model": "mlpp"}).lacks(kernel) is None, "nothing is known of an option that is not there"
    assert bases.of({"model": "mlp"}).lacks(Dimension("vars.x", (1, 2))) is None


def test_groups_of_ones_own_folder_are_groups(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "small.yaml").write_text("# Small.\ndefaults: [mlp, _self_]\nhidden: [8]\n")
    bases = Bases(read_command(["data=digits", "model=mlp,small", "adapter=full"], [tmp_path]))
    assert bases.of({"model": "small"}).experiment.values["model"]["hidden"] == [8]
    assert compose.compose(["data=digits"]).choices["data"] == "digits"
