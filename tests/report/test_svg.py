from __future__ import annotations

from xml.etree import ElementTree

import pytest

from espalier.report.svg import Scale, breakable, element, path, picture, ticks


def test_contents_and_attributes_are_escaped() -> None:
    text = element("text", '<script>"&', title='"><x', class_="a", text_anchor="end", x=1.25)
    parsed = ElementTree.fromstring(text)
    assert parsed.text == '<script>"&'
    assert parsed.attrib == {"title": '"><x', "class": "a", "text-anchor": "end", "x": "1.2"}


def test_elements_nest_unescaped() -> None:
    parsed = ElementTree.fromstring(picture(10.0, 20.0, "what it is", [element("g", element("line", x1=0))]))
    assert parsed.attrib["viewBox"] == "0 0 10 20" and parsed.attrib["aria-label"] == "what it is"
    assert parsed.find("g/line") is not None


def test_a_scale_maps_ends_to_ends_and_survives_a_single_value() -> None:
    scale = Scale(2, 4, 100, 0)
    assert (scale(2), scale(3), scale(4)) == (100, 50, 0)
    assert Scale(2, 2, 0, 10)(2) == 0


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 1, [0, 0.25, 0.5, 0.75, 1]), (0, 120, [0, 50, 100]), (0.38, 0.91, [0.4, 0.6, 0.8]), (3, 3, [3])],
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == expected


@pytest.mark.parametrize("high", [1e-9, 0.003, 7, 12_345, 1e12])
def test_there_are_a_few_ticks_at_any_size(high: float) -> None:
    assert 2 <= len(ticks(0, high)) <= 6


def test_path() -> None:
    assert path([(0, 1), (2.04, 3)], closed=True) == "M0.0 1.0L2.0 3.0Z"


def test_labels_may_break_after_their_joints_and_are_escaped() -> None:
    assert breakable("a_b-<i>") == "a_<wbr>b-<wbr>&lt;i&gt;"
