"""From the values of a report to what its charts draw, without comparing pixels."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest

from benchmarks.__main__ import bench_charts
from benchmarks.candidates import BASELINE, CANDIDATES, FLOOR, SCORE, SIZES
from benchmarks.charts import Axis, Line, bar_chart, line_chart, write_charts
from benchmarks.endtoend import endtoend_charts
from benchmarks.endtoend_report import EndToEndReport, RateRun
from benchmarks.report import BenchReport, Machine, Series, now
from benchmarks.soak import soak_charts
from benchmarks.soak_report import SoakReport
from benchmarks.stack_monitor import AlertCount
from benchmarks.trends import BacklogTrend, LatencyTrend, MemoryTrend, summarise
from ops.manifests import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

MACHINE = Machine(2, "test", "3.11", 0.5)
MIB = 2**20


def lines_of(chart: Figure) -> dict[str, list[tuple[float, float]]]:
    """The lines of a chart: name to (x, y)."""
    return {
        str(line.get_label()): [(x, y) for x, y in np.asarray(line.get_xydata()).tolist()]
        for line in chart.axes[0].lines
    }


def texts_of(file: Path) -> list[str]:
    """All text in an SVG file."""
    return [element.text or "" for element in ET.parse(file).iter("{http://www.w3.org/2000/svg}text")]


def two_lines() -> Figure:
    return line_chart("t", Axis("x"), Axis("y"), [Line("a", [(0, 1), (1, 2)]), Line("b", [(0, 3), (1, 4)])])


def test_a_line_chart_has_every_point_under_its_name() -> None:
    chart = line_chart(
        "title", Axis("seconds"), Axis("ms"), [Line("a", [(0.0, 1.0), (1.0, 3.0), (2.0, 2.0)])]
    )

    axes = chart.axes[0]
    assert lines_of(chart) == {"a": [(0.0, 1.0), (1.0, 3.0), (2.0, 2.0)]}
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title(loc="left")) == ("seconds", "ms", "title")


def test_a_linear_axis_begins_at_zero_and_a_logarithmic_one_does_not() -> None:
    points = [(1.0, 50.0), (100.0, 60.0)]

    linear = line_chart("t", Axis("x"), Axis("y"), [Line("a", points)]).axes[0]
    logarithmic = line_chart("t", Axis("x", log=True), Axis("y", log=True), [Line("a", points)]).axes[0]

    assert (linear.get_yscale(), linear.get_ylim()[0]) == ("linear", 0.0)
    assert (logarithmic.get_xscale(), logarithmic.get_yscale()) == ("log", "log")
    assert 0.0 < logarithmic.get_ylim()[0] <= 50.0


def test_an_axis_with_ticks_is_labelled_there_with_plain_numbers(tmp_path: Path) -> None:
    axis = Axis("x", log=True, ticks=(1.0, 10.0, 5_000.0))
    chart = line_chart("t", axis, Axis("y"), [Line("a", [(1.0, 1.0), (5_000.0, 2.0)])])

    (file,) = write_charts({"c": chart}, tmp_path)

    assert {"1", "10", "5,000"} <= set(texts_of(file))
    assert list(chart.axes[0].get_xticks()) == [1.0, 10.0, 5_000.0]


def test_a_narrow_logarithmic_axis_is_labelled(tmp_path: Path) -> None:
    chart = line_chart("t", Axis("x"), Axis("y", log=True), [Line("a", [(0.0, 120.0), (1.0, 700.0)])])

    (file,) = write_charts({"c": chart}, tmp_path)

    assert {"200", "500"} <= set(texts_of(file))


def test_the_legend_names_every_line_once_in_the_order_of_their_ends() -> None:
    lines = [
        Line(name, [(0.0, 1.0), (1.0, end)]) for name, end in (("low", 1.0), ("high", 9.0), ("middle", 5.0))
    ]

    (legend,) = line_chart("t", Axis("x"), Axis("y"), lines).legends

    assert [text.get_text() for text in legend.get_texts()] == ["high", "middle", "low"]


def test_twenty_lines_all_look_different() -> None:
    lines = [Line(str(number), [(0.0, 1.0), (1.0, 2.0)]) for number in range(20)]

    drawn = line_chart("t", Axis("x"), Axis("y"), lines).axes[0].lines

    assert len({(str(line.get_color()), str(line.get_linestyle())) for line in drawn}) == 20


def test_bars_are_as_long_as_their_values_and_the_first_is_on_top() -> None:
    axes = bar_chart("t", "µs", {"a": 1234.0, "b": 5.25}).axes[0]

    assert [bar.get_width() for bar in axes.patches] == [1234.0, 5.25]  # type: ignore[attr-defined]
    assert [text.get_text() for text in axes.texts] == ["1,234", "5.25"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]
    assert axes.yaxis_inverted()


def test_a_chart_of_nothing_is_an_error_that_names_it() -> None:
    with pytest.raises(ValueError, match="chart 'backlog': no lines"):
        line_chart("backlog", Axis("x"), Axis("y"), [])
    with pytest.raises(ValueError, match="chart 'backlog': line 'a' has no points"):
        line_chart("backlog", Axis("x"), Axis("y"), [Line("a", [])])
    with pytest.raises(ValueError, match="chart 'cpu': no bars"):
        bar_chart("cpu", "µs", {})


def test_the_same_numbers_give_the_same_bytes_whatever_the_user_has_set(tmp_path: Path) -> None:
    (first,) = write_charts({"c": two_lines()}, tmp_path / "first")
    (second,) = write_charts({"c": two_lines()}, tmp_path / "second")

    assert first.read_bytes() == second.read_bytes()
    with mpl.rc_context({"axes.facecolor": "black", "svg.fonttype": "path", "text.color": "red"}):
        (third,) = write_charts({"c": two_lines()}, tmp_path / "third")
    assert third.read_bytes() == first.read_bytes()
    assert b"<dc:date>" not in first.read_bytes()
    assert b"Matplotlib v" not in first.read_bytes()


def test_text_is_stored_as_text_and_cannot_become_markup_or_a_formula(tmp_path: Path) -> None:
    chart = bar_chart("<a> & b", "$x^2$", {"<script>": 1.0})

    (file,) = write_charts({"c": chart}, tmp_path)

    assert "<script>" not in file.read_text()
    assert {"<a> & b", "$x^2$", "<script>"} <= set(texts_of(file))


def test_a_chart_is_drawn_on_white_for_dark_pages(tmp_path: Path) -> None:
    (file,) = write_charts({"c": two_lines()}, tmp_path)

    background = next(ET.parse(file).iter("{http://www.w3.org/2000/svg}path"))
    assert background.attrib["style"] == "fill: #ffffff"


def test_the_cost_charts_show_three_candidates_at_every_batch_size() -> None:
    costs = {
        name: Series(
            {size: 1_000.0 * place + size for size in SIZES}, {size: 9_000.0 * place + size for size in SIZES}
        )
        for place, name in enumerate(CANDIDATES, 1)
    }
    report = BenchReport(
        at=now(), machine=MACHINE, rounds=3, injected_round_trip_ms={}, figures=(), candidates=costs
    )

    charts = bench_charts(report)

    assert list(charts) == ["cpu-per-payment", "wall-per-payment", "cpu-at-100"]
    names = {"baseline": BASELINE, "score stage": SCORE, "I/O floor": FLOOR}
    for chart, costs_of in (("cpu-per-payment", "cpu_us"), ("wall-per-payment", "wall_us")):
        assert lines_of(charts[chart]) == {
            name: [(float(size), getattr(costs[key], costs_of)[size]) for size in SIZES]
            for name, key in names.items()
        }
    bars = charts["cpu-at-100"].axes[0].patches
    assert [bar.get_width() for bar in bars] == [costs[key].cpu_us[100] for key in names.values()]  # type: ignore[attr-defined]


def rate_run(tps: float, latencies: tuple[tuple[float, float], ...]) -> RateRun:
    return RateRun(
        tps=tps,
        seconds=60.0,
        latency_ms=summarise([latency for _, latency in latencies]),
        backlog=BacklogTrend(True, 0.0, 0.0, 5.0, 9.0),
        samples=((1.0, 5.0), (2.0, 7.0)),
        cores={},
        latencies=latencies,
        alerts=AlertCount(due=10, arrived=10, missing=0),
    )


def test_latency_is_drawn_in_thirty_slices_and_the_backlog_as_it_was_sampled() -> None:
    # Slices of 2 s, each with latencies of 1 to 100 ms more than 10 times the second in which it begins.
    latencies = tuple(
        (second + part / 100, 10.0 * second + part) for second in range(0, 60, 2) for part in range(1, 101)
    )
    report = EndToEndReport(
        at=now(), machine=MACHINE, suspicious_share=0.02, steady=rate_run(200.0, latencies)
    )

    charts = endtoend_charts(report)

    assert list(charts) == ["endtoend-latency", "endtoend-backlog"]
    drawn = lines_of(charts["endtoend-latency"])
    assert list(drawn) == ["99th percentile", "95th percentile", "50th percentile"]
    for name, at_share in (("99th percentile", 99), ("95th percentile", 95), ("50th percentile", 50)):
        assert drawn[name] == [(second + 1.0, 10.0 * second + at_share) for second in range(0, 60, 2)]
    assert lines_of(charts["endtoend-backlog"]) == {"backlog": [(1.0, 5.0), (2.0, 7.0)]}


def test_latency_by_rate_is_drawn_after_a_search_in_the_order_of_the_rates() -> None:
    def at_rate(tps: float, ms: float) -> RateRun:
        return rate_run(tps, ((1.0, ms), (2.0, ms), (3.0, 3 * ms)))

    report = EndToEndReport(
        at=now(),
        machine=MACHINE,
        suspicious_share=0.02,
        steady=at_rate(200.0, 80.0),
        search=(at_rate(300.0, 100.0), at_rate(130.0, 0.25)),
    )

    chart = endtoend_charts(report)["endtoend-rates"]

    assert lines_of(chart) == {
        "99th percentile": [(130.0, 1.0), (200.0, 240.0), (300.0, 300.0)],
        "median": [(130.0, 1.0), (200.0, 80.0), (300.0, 100.0)],
    }


def test_a_soak_is_drawn_in_minutes_and_mib_without_the_services_that_store_data() -> None:
    report = SoakReport(
        at=now(),
        machine=MACHINE,
        tps=100.0,
        minutes=30.0,
        transactions=180_000,
        memory={"score": MemoryTrend(1e8, 0.0, flat=True), "kafka": MemoryTrend(1e8, 0.0, flat=None)},
        latency=LatencyTrend(80.0, 0.0, flat=True),
        latency_ms=summarise([80.0]),
        rss_bytes={"score": ((60.0, 50.0 * MIB), (120.0, 51.0 * MIB)), "kafka": ((60.0, 900.0 * MIB),)},
        slices=((30.0, summarise([80.0, 90.0])), (90.0, summarise([100.0]))),
        ended={},
        ended_workers={},
        at_rest=True,
        backlog=0,
        alerts=AlertCount(due=10, arrived=10, missing=0),
    )

    charts = soak_charts(report)

    assert lines_of(charts["soak-memory"]) == {"score": [(1.0, 50.0), (2.0, 51.0)]}
    assert lines_of(charts["soak-latency"]) == {
        "99th percentile": [(0.5, 90.0), (1.5, 100.0)],
        "median": [(0.5, 80.0), (1.5, 100.0)],
    }


def test_a_command_without_charts_does_not_import_matplotlib() -> None:
    code = "import sys, benchmarks.__main__, benchmarks.endtoend, benchmarks.soak; print('matplotlib' in sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": "functions:."},
    )

    assert done.stdout == "False\n"
