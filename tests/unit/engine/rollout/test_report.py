"""The report says what a candidate would change, by rule and with examples, and whether the difference may be chance."""

from __future__ import annotations

import pytest

from contract.scored import Decision
from contract.side import Side
from engine.rollout.changed import Changed, Example
from engine.rollout.counts import RolloutCounts
from engine.rollout.report import JUDGED, MAX_RULES, as_text, report_of
from engine.rollout.settled import SettledCounts
from tests.support.rule_samples import candidate_of, ruleset

EXAMPLE = Example("u-1", "2026-12-01T09:00#t", 12_345, Decision.APPROVE, 10, Decision.REVIEW, 60)
COUNTS = RolloutCounts(
    payments=dict.fromkeys(range(64), 100),
    alerts={group: [4, 1, 1 + group % 3] for group in range(64)},
    alert_cents=[1_000_000, 200_000, 300_000],
    new={"many": Changed(3, 30_000, [EXAMPLE]), "one": Changed(1, 100, [])},
)


def test_the_report_compares_the_sides_and_names_what_is_new_with_examples() -> None:
    counts = RolloutCounts(**{name: getattr(COUNTS, name) for name in COUNTS.__struct_fields__})
    counts.add_time(Side.CHAMPION, 100.0)
    counts.add_time(Side.CANDIDATE, 130.0)

    lines = as_text(report_of(counts, 1_500, candidate_of(share=10))).splitlines()

    assert lines[0].startswith("Candidate 2 beside 1 (")
    assert lines[0].endswith("it decides for 10% of the users.")
    assert lines[1] == "6,400 payments of the last 25 hours were evaluated by both."
    assert "reviewed or blocked                  320           383           256" in lines
    assert "  worth, USD                      12,000        13,000        10,000" in lines
    assert any(line.startswith("Reviewed or blocked: 383 payments of the candidate, 320") for line in lines)
    assert "Of all that either side names, both name 57%." in lines
    assert JUDGED in lines
    assert "99% of the evaluations take up to 108 µs by the champion and 140 µs by the candidate." in lines
    at = lines.index("New: only the candidate reviews or blocks them, by rule.")
    assert lines[at + 1] == "  many: 3 payments, 300.00 USD"
    assert lines[at + 2] == (
        "    u-1 2026-12-01T09:00#t: 123.45 USD, champion approve (10), candidate review (60)"
    )
    assert lines[at + 3] == "  one: 1 payment, 1.00 USD"
    assert lines[-1] == "Lost: only the champion reviews or blocks them: none."


def test_many_rules_are_cut_and_counted() -> None:
    counts = RolloutCounts({0: 1}, lost={f"r{number:02}": Changed(1) for number in range(MAX_RULES + 2)})

    assert as_text(report_of(counts, 5, candidate_of(share=0))).splitlines()[-1] == "  and 2 more rules"


def test_before_the_first_payment_there_is_nothing_to_compare() -> None:
    lines = as_text(report_of(RolloutCounts(), 0, candidate_of(share=10))).splitlines()

    assert lines[1:] == ["0 payments of the last 0 minutes were evaluated by both."]


def test_without_a_candidate_rules_with_a_largest_share_are_listed() -> None:
    settled = SettledCounts({5: 30, 6: 10}, champion_hits={"r": {6: 1}})
    counts = RolloutCounts({0: 200}, champion_hits={"r": {0: 3}}, settled=settled)

    assert (
        as_text(report_of(counts, 5, ruleset({}))).splitlines()[1]
        == "No rule has a largest share, so nothing is counted."
    )
    assert as_text(report_of(counts, 5, ruleset({"max_share": 2}))).splitlines()[-1] == (
        "  r (live): held for 3, 1.50%; of the users with a past 2.50%, at most 2%"
    )


@pytest.mark.parametrize(
    ("mode", "users"), [("live", 0), ("suspended", 40)], ids=["nobody has a past", "not counted"]
)
def test_a_share_of_users_with_a_past_that_is_not_known_is_a_dash(mode: str, users: int) -> None:
    counts = RolloutCounts({0: 200}, champion_hits={"r": {0: 3}}, settled=SettledCounts({5: users}))

    assert as_text(report_of(counts, 5, ruleset({"max_share": 2, "mode": mode}))).splitlines()[-1] == (
        f"  r ({mode}): held for 3, 1.50%; of the users with a past -, at most 2%"
    )
