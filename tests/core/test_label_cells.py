from __future__ import annotations

import pytest

from espalier.core.label_cells import parts_of, separator_of


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (["envío|cuenta", "cuenta", "pago | envío", "pago"], ("|", "envío|cuenta")),
        (["a;b", "b;c", "c;a"], (";", "a;b")),
        (["red, blue", "blue"], ("", "")),  # one such cell may be called so
        (["red, blue", "blue, green", "green, red"], (",", "red, blue")),
        (["Toys, games", "Home, garden", "Books"], ("", "")),
        (["home|bath", "home|kitchen", "home|garden"], ("", "")),  # a class within another
        (["positive", "negative"], ("", "")),
        ([], ("", "")),
    ],
)
def test_what_stands_between_labels(cells: list[str], found: tuple[str, str]) -> None:
    assert separator_of(cells * 3) == found


def test_parts_have_no_blanks_around_them() -> None:
    assert parts_of(" a | | b|", "|") == ("a", "b")
