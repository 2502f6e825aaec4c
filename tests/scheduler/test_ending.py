from __future__ import annotations

import pytest

from espalier.core.errors import ConfigError
from espalier.scheduler.ending import require_end


def test_an_endless_run_is_answered() -> None:
    require_end(0, "cosine")
    with pytest.raises(ConfigError, match=r"scheduler=cosine.*needs a last step.*scheduler=constant"):
        require_end(-1, "cosine")
