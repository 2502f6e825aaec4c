from __future__ import annotations

import pytest

from espalier.cli.trust import main
from espalier.core.errors import UserError


def test_trust(capsys: pytest.CaptureFixture[str]) -> None:
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
