from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from lab.backtest import run_backtest
from lab.backtest.plot import draw_curve
from tests.support.backtest_samples import ruleset, sent

if TYPE_CHECKING:
    from pathlib import Path

BACKTEST = run_backtest([sent(1, "150", "stolen_card"), sent(2, "20")], ruleset())


def texts(path: Path) -> set[str]:
    svg = ET.parse(path)
    return {"".join(element.itertext()).strip() for element in svg.iter("{http://www.w3.org/2000/svg}text")}


@pytest.mark.parametrize("is_labelled", [True, False])
def test_the_plot_has_the_curves_that_are_known_and_the_rulesets_thresholds(
    tmp_path: Path, is_labelled: bool
) -> None:
    path = tmp_path / "new" / "curve.svg"

    draw_curve(BACKTEST.measures, BACKTEST.thresholds, path, "A title", is_labelled=is_labelled)

    shown = texts(path)
    assert {"A title", "alerts a day", "threshold, points", "review", "block"} <= shown
    assert ({"precision", "recall", "value recall"} <= shown) is is_labelled
    assert ("recall" in shown) is is_labelled


def test_the_same_figures_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        draw_curve(BACKTEST.measures, BACKTEST.thresholds, tmp_path / name, "A title")

    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
