from __future__ import annotations

from espalier.core.bounds import AtMost, ColumnsOf, FileExists, OfferedBy


def test_bounds_are_plain_values_that_compare() -> None:
    assert AtMost("gpus") == AtMost("gpus") != AtMost("cpus")
    assert ColumnsOf("path").path_key == "path"
    assert len({FileExists(), FileExists()}) == 1
    assert (OfferedBy("model", "targets").group, OfferedBy("model", "targets").attribute) == ("model", "targets")
