from __future__ import annotations

from espalier.core.empty_cells import by_column


def test_rows_are_told_by_column() -> None:
    assert by_column({"text": [3], "id": [], "label": range(4, 11)}, "line") == (
        "'text' on line 3; 'label' on line 4, 5, 6, 7, 8 and 2 more"
    )
