from __future__ import annotations

import sys
from pathlib import Path

import pytest

from espalier.config.compose import compose
from espalier.core.errors import TrustError, UserError


@pytest.fixture(autouse=True)
def evil(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("evil", "good"):
        (tmp_path / name / "model").mkdir(parents=True)
        (tmp_path / name / "__init__.py").touch()
        (tmp_path / name / "model" / "theirs.yaml").write_text("_target_: espalier.model.mlp.Mlp\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "place",
    [
        "pkg://evil",
        "pkg://evil.model",
        "pkg://evil/model",
        "pkg:///evil",
        "pkg://",
        "PKG://evil",
        "http://x/evil",
        "pkg://os",
    ],
)
def test_an_untrusted_package_is_not_looked_into(place: str, tmp_path: Path) -> None:
    with pytest.raises(TrustError):
        compose([f"hydra.searchpath=['{place}']"])
    (tmp_path / "train.yaml").write_text(f"defaults: [_self_]\nhydra:\n  searchpath: ['{place}']\n")
    with pytest.raises(TrustError):
        compose([], config_dirs=[tmp_path])
    (tmp_path / "train.yaml").write_text(f"defaults: [_self_]\nx: {place}\nhydra: {{searchpath: ['${{x}}']}}\n")
    with pytest.raises(TrustError):
        compose([], config_dirs=[tmp_path])
    assert "evil" not in sys.modules


def test_the_refusal_says_how_to_trust() -> None:
    with pytest.raises(TrustError, match="espalier trust evil"):
        compose(["hydra.searchpath=[pkg://evil]"])


def test_a_trusted_package_and_folders_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_TRUST", "good")
    assert compose(["hydra.searchpath=[pkg://good]", "model=theirs"]).choices["model"] == "theirs"
    assert compose([f"hydra.searchpath=['{tmp_path}/evil']", "model=theirs"]).choices["model"] == "theirs"


@pytest.mark.parametrize("value", ["3", "[3]", "pkg://evil"])
def test_no_list_of_places(value: str) -> None:
    with pytest.raises(UserError):
        compose([f"hydra.searchpath={value}"])
    assert "evil" not in sys.modules
