from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from benchmarks.svg import Axis, Bar, Line, bar_chart, line_chart, nice_ticks

SVG = "{http://www.w3.org/2000/svg}"


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)


def points(line: ET.Element) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in line.attrib["points"].split())]


def test_a_larger_value_stands_higher_and_a_later_one_further_right() -> None:
    svg = line_chart("t", Axis("x"), Axis("y"), [Line("a", ((0.0, 1.0), (1.0, 3.0), (2.0, 2.0)))])

    drawn = points(next(parsed(svg).iter(f"{SVG}polyline")))

    assert [x for x, _ in drawn] == sorted(x for x, _ in drawn)
    assert drawn[1][1] < drawn[2][1] < drawn[0][1]


def test_equal_ratios_are_equal_distances_on_a_logarithmic_axis() -> None:
    svg = line_chart(
        "t", Axis("x"), Axis("y", log=True), [Line("a", ((0.0, 10.0), (1.0, 100.0), (2.0, 1_000.0)))]
    )

    first, second, third = (y for _, y in points(next(parsed(svg).iter(f"{SVG}polyline"))))

    assert first - second == pytest.approx(second - third, abs=0.2)


def test_every_line_is_named_and_no_name_covers_another() -> None:
    lines = [Line(name, ((0.0, 1.0), (1.0, 2.0))) for name in ("one", "two", "three")]

    texts = [
        text
        for text in parsed(line_chart("t", Axis("x"), Axis("y"), lines)).iter(f"{SVG}text")
        if text.text in {"one", "two", "three"}
    ]

    heights = sorted(float(text.attrib["y"]) for text in texts)
    assert len(heights) == 3
    assert all(below - above >= 14 for above, below in pairwise(heights))


def test_text_cannot_break_out_of_the_picture() -> None:
    svg = bar_chart("<a> & b", "µs", [Bar("<script>", 1.0)])

    assert "<script>" not in svg
    assert any(text.text == "<script>" for text in parsed(svg).iter(f"{SVG}text"))


def test_bars_are_as_long_as_their_values() -> None:
    svg = bar_chart("t", "µs", [Bar("a", 10.0), Bar("b", 5.0)])

    first, second = (float(bar.attrib["width"]) for bar in list(parsed(svg).iter(f"{SVG}rect"))[1:])

    assert first == pytest.approx(2 * second, abs=0.2)


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.004), (0.0, 7.0), (0.0, 12_345.0), (3.0, 3.0)])
def test_ticks_are_few_and_cover_the_values(low: float, high: float) -> None:
    ticks = nice_ticks(low, high)

    assert ticks[0] <= low
    assert ticks[-1] >= high
    assert 2 <= len(ticks) <= 8
