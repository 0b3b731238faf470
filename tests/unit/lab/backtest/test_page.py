"""A backtest's page has every figure of the printed text, and what senders wrote is text on it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec
import pytest

from lab.backtest import run_backtest
from lab.backtest.__main__ import main
from lab.backtest.crossing import Crossing, CrowdAlarms, EarlyDetection
from lab.backtest.delays import row_line, run_delays
from lab.backtest.labels import Delay, LabelPlan
from lab.backtest.page import backtest_page, delays_page
from lab.backtest.printing import as_text, comparison_text, judged_text
from lab.backtest.stream import PaymentStream
from ops.manifests import FUNCTIONS_DIR, ROOT
from tests.support.backtest_samples import RULES, ruleset, sent
from tests.support.report_pages import HOSTILE, missing_figures, problems, read_page

if TYPE_CHECKING:
    from pathlib import Path

    from lab.backtest import Backtest

SMALLER = RULES.replace("> 100.0", "> 10.0").replace('"1"', '"2"')
NAMES = ("ruleset 1 (a.yaml)", "ruleset 2 (b.yaml)")
HISTORY = [
    sent(1, "50", "stolen_card", "i7"),
    sent(2, "150", "stolen_card"),
    sent(3, "20", user_id=HOSTILE),
    sent(4, "1250", user_id="v"),
    sent(5, "nan"),
    sent(6, "-2"),
    sent(4, "1250", user_id="v"),
]
CROSSING = Crossing(
    {"card_testing": EarlyDetection(17, 13, 16, 41.4)},
    {"sale": CrowdAlarms(5_678, 234, 201, {"busy_merchant": 219})},
)


@pytest.fixture(scope="module")
def backtest() -> Backtest:
    plan = LabelPlan((Delay(1.0, 0.0),), "judged", 0.0)
    found = run_backtest(HISTORY, ruleset(), against=ruleset(SMALLER), plan=plan)
    return msgspec.structs.replace(found, crossing=CROSSING)


def test_every_figure_of_the_text_is_on_the_page(backtest: Backtest) -> None:
    comparison = backtest.comparison
    assert comparison is not None

    page = backtest_page(backtest, NAMES, "a.csv")

    text = "\n".join([as_text(backtest), comparison_text(comparison, NAMES, backtest)])
    assert missing_figures(text, page) == []
    assert problems(page) == []


def test_without_labels_the_page_has_alerts_and_no_shares(backtest: Backtest) -> None:
    page = backtest_page(backtest, NAMES, "a.csv", is_labelled=False)

    comparison = backtest.comparison
    assert comparison is not None
    text = "\n".join(
        [
            as_text(backtest, is_labelled=False),
            comparison_text(comparison, NAMES, backtest, is_labelled=False),
        ]
    )
    assert missing_figures(text, page) == []
    assert problems(page) == []
    shown = " ".join(read_page(page).text)
    assert "No labels: which payments were fraud is not known" in shown
    assert "%" not in shown


def test_payments_that_were_asked_for_are_shown_whole(backtest: Backtest) -> None:
    page = backtest_page(backtest, NAMES, "a.csv", shown=[("false alarms", 3, backtest.false_alarms)])

    shown = read_page(page)
    assert shown.problems == []
    assert "False alarms" in shown.titles
    assert [" ".join(judged_text(each).split()) in shown.text for each in backtest.false_alarms] == [True]


def test_a_user_of_any_name_is_text_on_the_page(backtest: Backtest) -> None:
    assert backtest.comparison is not None
    assert [each.user_id for each in backtest.comparison.there.by_rule[0].examples][-1] == HOSTILE

    assert HOSTILE in read_page(backtest_page(backtest, NAMES, "a.csv")).text


def test_the_page_by_delay_has_the_figures_of_each_row() -> None:
    rows = list(
        run_delays(
            lambda: PaymentStream(iter(HISTORY), is_labelled=True, source="a.csv"),
            ruleset(),
            [0.0, 7.0],
            LabelPlan((), "judged", 0.0),
        )
    )

    page = delays_page(rows, NAMES[0], "a.csv")

    assert missing_figures("\n".join(map(row_line, rows)), page) == []
    assert problems(page) == []
    assert [row[0] for row in page.sections[0].blocks[0].rows] == ["never", "0 days", "7 days"]  # type: ignore[union-attr]


@pytest.mark.parametrize("more", [[], ["--label-delay-days", "1,7"]])
def test_the_command_writes_its_page_and_prints_the_path(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str]
) -> None:
    rules, page = tmp_path / "rules.yaml", tmp_path / "reports" / "backtest.html"
    rules.write_text(RULES)
    files = ["--rules", str(rules), "--plot", str(tmp_path / "plot.svg"), "--page", str(page)]

    main([*files, "--transactions", "40", *more])

    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert capsys.readouterr().out.splitlines()[-1] == f"report: {page}"


def test_the_command_needs_no_jinja_where_no_page_is_asked_for() -> None:
    code = "import sys; sys.modules['jinja2'] = None; import lab.backtest.__main__, training.__main__"

    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": f"{FUNCTIONS_DIR}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
