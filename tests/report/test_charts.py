from __future__ import annotations

from xml.etree import ElementTree

from espalier.report.charts import line_chart, whisker
from espalier.report.curves import Curve, Point, curves_of


def curve_of(values: list[float], key: str = "validation/accuracy") -> Curve:
    (curve,) = curves_of([{"step": 10 * n, "epoch": n, key: value} for n, value in enumerate(values, 1)], "")
    return curve


def drawn(curve: Curve, kind: str) -> list[ElementTree.Element]:
    tree = ElementTree.fromstring(line_chart(curve))
    return [mark for mark in tree.iter() if kind in mark.get("class", "").split()]


def test_a_short_validation_line_has_a_dot_with_its_figure_for_each_point() -> None:
    points = drawn(curve_of([0.5, 0.7, 0.6]), "point")
    assert [point.findtext("title") for point in points] == ["step 10: 0.500", "step 20: 0.700", "step 30: 0.600"]


def test_everything_stays_inside_the_picture() -> None:
    for values in ([0.5], [0.0, 0.0], [-3.0, 1e9], [1e-7, 2e-7]):
        for point in drawn(curve_of(values), "point"):
            assert 0 <= float(point.attrib["cx"]) <= 340 and 0 <= float(point.attrib["cy"]) <= 200


def test_a_train_line_is_a_line_without_dots_and_has_a_band_only_where_values_were_averaged() -> None:
    short, long = curve_of([2.0, 1.0], "train/loss"), curve_of([float(n % 7) for n in range(900)], "train/loss")
    assert drawn(short, "point") == [] and drawn(short, "band") == []
    assert len(drawn(long, "band")) == 1


def test_the_best_point_is_marked() -> None:
    assert 'class="best"' in line_chart(curve_of([0.5, 0.7, 0.6]), Point(20, 0.7, 0.7, 0.7))


def test_a_whisker_without_interval_is_a_dot() -> None:
    assert "interval" not in whisker(0.5, None)
    assert 'class="interval"' in whisker(0.5, (0.4, 0.6))
