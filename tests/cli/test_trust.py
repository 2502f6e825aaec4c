from __future__ import annotations

from pathlib import Path

import pytest

from espalier.cli.trust import main
from espalier.core.errors import UserError


def test_trust(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    for words, said in [
        ([], "no package is trusted yet"),
        (["mine"], "mine is now trusted"),
        (["mine"], "mine is trusted already"),
        ([], "mine"),
        (["mine", "--remove"], "mine is trusted no more"),
        (["mine", "--remove"], "mine was not trusted"),
    ]:
        assert main(words) == 0
        assert said in capsys.readouterr().out


def test_what_nobody_may_trust() -> None:
    with pytest.raises(UserError, match="is Python's own"):
        main(["os"])


def test_what_is_nowhere_is_not_trusted() -> None:
    with pytest.raises(UserError, match=r"nowhere_to_be_found  is not installed, and there is no nowhere_to_be_found/"):
        main(["nowhere_to_be_found"])
