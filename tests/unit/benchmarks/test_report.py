from __future__ import annotations

import json
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from benchmarks.candidates import Measured
from benchmarks.harness import Cost
from benchmarks.report import (
    BenchReport,
    Figure,
    Machine,
    Series,
    figure_table,
    now,
    read_bench,
    target_text,
    write_json,
)

if TYPE_CHECKING:
    from pathlib import Path


def figure(value: float, target: float | None = None, must_be: str = "at most") -> Figure:
    return Figure(key="k", text="what", value=value, unit="ms", target=target, must_be=must_be)  # type: ignore[arg-type]


def report(*figures: Figure) -> BenchReport:
    return BenchReport(
        at=now(),
        machine=Machine(2, "test", "3.11", 0.5),
        rounds=3,
        injected_round_trip_ms={"redis": 0.5},
        figures=figures,
        candidates={"score": Series({100: 1.5}, {100: 2.5})},
    )


@pytest.mark.parametrize(
    ("value", "must_be", "passed"),
    [
        (1.0, "at most", True),
        (1.1, "at most", False),
        (1.0, "at least", True),
        (0.9, "at least", False),
    ],
)
def test_a_target_is_reached_at_its_own_value_and_missed_beyond_it(
    value: float, must_be: str, passed: bool
) -> None:
    assert figure(value, 1.0, must_be).passed is passed


def test_a_figure_without_a_target_is_neither_reached_nor_missed() -> None:
    assert figure(5.0).passed is None
    assert report(figure(5.0)).passed


def test_one_missed_target_fails_the_run() -> None:
    assert not report(figure(1.0, 2.0), figure(3.0, 2.0)).passed


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = report(figure(3.0, 2.0))

    write_json(tmp_path / "bench.json", written)

    assert read_bench(tmp_path / "bench.json") == written


def test_the_file_says_which_targets_were_reached(tmp_path: Path) -> None:
    write_json(tmp_path / "bench.json", report(figure(3.0, 2.0), figure(1.0, 2.0)))

    document = json.loads((tmp_path / "bench.json").read_text())

    assert [each["passed"] for each in document["figures"]] == [False, True]
    assert document["passed"] is False


def test_the_table_shows_value_target_and_whether_it_is_reached() -> None:
    console = Console(width=150, record=True, file=StringIO())

    console.print(figure_table("Title", [figure(3.0, 2.0), figure(1.0, 2.0)]))

    text = console.export_text()
    assert text.count("missed") == 1
    assert text.count("reached") == 1
    assert "≤ 2 ms" in text


def test_an_aim_is_shown_beside_its_target() -> None:
    aimed = Figure(key="k", text="t", value=1.7, unit="x", target=1.8, aim=1.5)

    assert target_text(aimed) == "≤ 1.8 x (aim 1.5)"


def test_the_value_of_a_figure_that_was_not_measured_is_an_error() -> None:
    with pytest.raises(KeyError):
        report().value("score_cpu_us")


def test_costs_are_divided_by_the_number_of_transactions() -> None:
    measured = Measured(
        {"score": {100: [Cost(0.02, 0.04, 100)]}}, {"score": {100: [Cost(0.02, 0.04, 100)]}}, [], [], []
    )

    assert measured.cpu_us("score", 100) == [pytest.approx(200.0)]
    assert measured.wall_us("score", 100) == [pytest.approx(400.0)]
