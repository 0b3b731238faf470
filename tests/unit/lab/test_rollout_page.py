"""The page of a candidate has every figure of the printed report, and what senders wrote is text on it."""

from __future__ import annotations

import msgspec
import pytest

from contract.scored import Decision
from contract.side import Side
from engine.rollout.changed import Changed, Example
from engine.rollout.counts import RolloutCounts
from engine.rollout.report import MAX_RULES, RolloutReport, as_text, report_of
from engine.rollout.settled import SettledCounts
from lab.function_answer import read_answer
from lab.rollout_page import rollout_page
from tests.support.report_pages import HOSTILE, missing_figures, problems, read_page
from tests.support.rule_samples import candidate_of, ruleset


def compared() -> RolloutReport:
    """Two sides that do not agree, with more rules than are shown."""
    example = Example(HOSTILE, "2026-12-01T09:00#t", 12_345, Decision.APPROVE, 10, Decision.REVIEW, 60)
    counts = RolloutCounts(
        payments=dict.fromkeys(range(64), 100),
        alerts={group: [4, 1, 1 + group % 3] for group in range(64)},
        blocks={group: [2, 0, 1] for group in range(64)},
        alert_cents=[1_000_000, 200_000, 300_000],
        new={"many": Changed(3, 30_000, [example])},
        lost={f"r{number:02}": Changed(number + 1, 7_700) for number in range(MAX_RULES + 2)},
    )
    counts.add_time(Side.CHAMPION, 100.0)
    counts.add_time(Side.CANDIDATE, 130.0)
    return report_of(counts, 1_500, candidate_of(share=10), [f"2026-12-01 09:00 UTC, deployed: {HOSTILE}"])


REPORTS = {
    "a candidate": compared(),
    "a candidate before the first payment": report_of(RolloutCounts(), 0, candidate_of(share=10)),
    "a candidate that changes nothing": report_of(RolloutCounts({0: 7}), 3_000, candidate_of(share=10)),
    "no candidate": report_of(RolloutCounts({0: 200}), 5, ruleset({})),
    "rules with a largest share": report_of(
        RolloutCounts(
            {0: 200},
            champion_hits={"r": {0: 3}},
            settled=SettledCounts({5: 40}, champion_hits={"r": {5: 1}}),
        ),
        5,
        ruleset({"max_share": 2}),
    ),
}


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_every_figure_of_the_text_is_on_the_page(report: RolloutReport) -> None:
    page = rollout_page(report)

    assert missing_figures(as_text(report).replace(HOSTILE, ""), page) == []
    assert problems(page) == []


def test_a_user_and_a_reason_of_any_name_are_text_on_the_page() -> None:
    shown = read_page(rollout_page(compared())).text

    assert HOSTILE in shown
    assert f"2026-12-01 09:00 UTC, deployed: {HOSTILE}" in shown


def test_the_figures_survive_their_way_through_the_functions_answer() -> None:
    report = compared()

    answer = read_answer(msgspec.json.encode(report))

    assert answer.text == as_text(report)
    assert answer.page == rollout_page(report)


def test_a_sentence_has_no_page() -> None:
    assert read_answer(b'"No ruleset is deployed."') == ("No ruleset is deployed.", None)


def test_an_answer_that_is_no_report_is_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        read_answer(b'{"version": "1"}')
