"""Plots stay inside their frame, and show each figure at its place."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.pages.drawing import HEIGHT, WIDTH, Axis, Drawing, Line, bar_plot, grid_plot, line_plot, step_plot

numbers = st.floats(-1e9, 1e9, allow_nan=False)


def places(drawing: Drawing) -> list[tuple[float, float]]:
    """All corners of strokes and boxes."""
    pairs = [
        pair for stroke in drawing.strokes for pair in re.findall(r"(-?[\d.e+]+) (-?[\d.e+]+)", stroke.path)
    ]
    corners = [(float(x), float(y)) for x, y in pairs]
    for box in drawing.boxes:
        corners += [(box.x, box.y), (box.x + box.width, box.y + box.height)]
    return corners


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=20), numbers, numbers)
def test_lines_stay_inside_the_drawing(points: list[tuple[float, float]], low: float, high: float) -> None:
    axis = Axis("", min(low, high), max(low, high))

    drawing = line_plot(axis, axis, [Line("a", points)], [(low, "mark")], diagonal=True)

    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in places(drawing))


@given(st.lists(numbers, min_size=1, max_size=30))
def test_steps_stay_inside_the_drawing(values: list[float]) -> None:
    drawing = step_plot([f"{value:g}" for value in values], values, "log-odds")

    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in places(drawing))


@pytest.mark.parametrize("is_log", [False, True])
def test_a_higher_value_is_drawn_higher(is_log: bool) -> None:
    axis = Axis("", 0.001, 1, is_log=is_log)

    drawing = line_plot(axis, axis, [Line("a", [(0.001, 0.001), (0.01, 0.1), (1, 1)])])

    (line,) = (stroke for stroke in drawing.strokes if stroke.css == "line line-1")
    corners = places(Drawing(WIDTH, HEIGHT, (line,)))
    assert corners == sorted(corners, key=lambda corner: (corner[0], -corner[1]))
    assert len({y for _, y in corners}) == 3


def test_ticks_of_a_logarithmic_axis_are_powers_of_ten() -> None:
    assert Axis("", 0.0005, 1, is_log=True).ticks() == pytest.approx([0.001, 0.01, 0.1, 1])


def test_the_longest_bar_is_the_largest_value_and_none_is_as_long_as_nothing() -> None:
    drawing = bar_plot([("a", 10, "10"), ("b", 5, "5"), ("c", 0, "0")], "USD")

    assert [box.width for box in drawing.boxes] == [
        drawing.boxes[0].width,
        pytest.approx(drawing.boxes[0].width / 2, abs=0.1),
        0,
    ]


def test_the_name_of_a_bar_fits_beside_it() -> None:
    drawing = bar_plot([("a name of thirty-two characters.", 1, "1")], "USD")

    name = next(label for label in drawing.labels if label.text.startswith("a name"))
    assert name.anchor == "end"
    assert name.x - 32 * 7.8 >= 0


def test_a_field_of_a_grid_is_above_or_below_nothing_by_its_sign() -> None:
    drawing = grid_plot(("x", ["a", "b"]), ("y", ["c"]), [[2.0, -1.0]])

    assert [(box.css, box.title) for box in drawing.boxes] == [
        ("above strength-9", "y c, x a: +2.00"),
        ("below strength-4", "y c, x b: -1.00"),
    ]


def test_names_below_an_axis_leave_room_for_each_other() -> None:
    names = [f"to {place * 1000}" for place in range(40)]

    drawing = step_plot(names, [0.5] * 40, "log-odds")

    shown = [label for label in drawing.labels if label.text in names]
    assert 2 <= len(shown) < 40
    gaps = [after.x - before.x for before, after in pairwise(shown)]
    assert min(gaps) >= 7 * max(len(name) for name in names)
