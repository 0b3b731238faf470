from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.truth import Truth
from lab.measures import ScenarioDetection, as_table, evaluate

TRUTHS = {
    "a": Truth("card_testing", "i1", 1.0),
    "b": Truth("card_testing", "i1", 300.0),
    "c": Truth("card_testing", "i2", 99.0),
    "d": Truth("high_amount", None, 600.0),
    "e": Truth(),
    "f": Truth(),
    "g": Truth(),
    "h": Truth(),
}
DECISIONS = {
    "a": "approve", "b": "block", "c": "approve", "d": "review", "e": "review", "f": "approve", "g": "approve",
    "x": "block",
}  # fmt: skip

ids = st.sampled_from("abcdefghij")
truths = st.builds(
    Truth,
    scenario=st.none() | st.sampled_from(["card_testing", "structuring"]),
    incident_id=st.none() | st.sampled_from(["i1", "i2"]),
    amount_base=st.none() | st.floats(0, 1e6),
)


def test_figures_are_those_of_the_definitions() -> None:
    report = evaluate(TRUTHS, DECISIONS)

    assert (report.transactions, report.undecided, report.fraud, report.flagged) == (7, 1, 4, 3)
    assert report.precision == pytest.approx(2 / 3)
    assert report.recall == pytest.approx(2 / 4)
    assert report.f1 == pytest.approx(2 * (2 / 3) * (1 / 2) / (2 / 3 + 1 / 2))
    assert report.value_recall == pytest.approx(900 / 1000)
    assert report.false_positive_rate == pytest.approx(1 / 3)
    assert report.alerts_per_true_fraud == pytest.approx(3 / 2)


def test_scenarios_count_payments_and_incidents() -> None:
    report = evaluate(TRUTHS, DECISIONS)

    assert report.by_scenario == {
        "card_testing": ScenarioDetection(3, 1, 1 / 3, 2, 1),
        "high_amount": ScenarioDetection(1, 1, 1.0, 1, 1),
    }
    assert (report.incidents, report.incidents_detected) == (3, 2)


def test_an_incident_that_spans_users_or_kinds_of_fraud_counts_once() -> None:
    ring = {
        "a": Truth("new_payee_drain", "ring"),
        "b": Truth("new_payee_drain", "ring"),
        "c": Truth("account_takeover", "ring"),
    }

    report = evaluate(ring, {"a": "approve", "b": "review", "c": "approve"})

    assert (report.incidents, report.incidents_detected) == (1, 1)
    assert report.by_scenario["new_payee_drain"].incidents_detected == 1
    assert report.by_scenario["account_takeover"].incidents_detected == 0


def test_shares_of_nothing_are_none() -> None:
    report = evaluate({}, {})

    assert (report.precision, report.recall, report.f1, report.value_recall) == (None, None, None, None)
    assert (report.false_positive_rate, report.alerts_per_true_fraud) == (None, None)
    assert report.by_scenario == {}


def test_honest_payments_alone_have_a_false_positive_rate_and_no_recall() -> None:
    report = evaluate({"a": Truth(), "b": Truth()}, {"a": "review", "b": "approve"})

    assert (report.precision, report.recall, report.false_positive_rate) == (0.0, None, 0.5)


def test_value_recall_is_none_where_no_value_is_known() -> None:
    report = evaluate({"a": Truth("structuring")}, {"a": "review"})

    assert (report.recall, report.value_recall) == (1.0, None)


@given(
    truth=st.dictionaries(ids, truths),
    decisions=st.dictionaries(ids, st.sampled_from(["approve", "review", "block"])),
)
def test_figures_agree_with_a_plain_count(truth: dict[str, Truth], decisions: dict[str, str]) -> None:
    report = evaluate(truth, decisions)

    rows = [(each.is_fraud, decisions[key] != "approve") for key, each in truth.items() if key in decisions]
    hits = rows.count((True, True))
    assert report.recall == (None if not report.fraud else hits / (hits + rows.count((True, False))))
    assert report.precision == (None if not report.flagged else hits / (hits + rows.count((False, True))))
    assert sum(found.transactions for found in report.by_scenario.values()) == report.fraud
    assert report.incidents_detected <= report.incidents <= report.fraud
    for share in (
        report.precision,
        report.recall,
        report.f1,
        report.value_recall,
        report.false_positive_rate,
    ):
        assert share is None or 0 <= share <= 1 + 1e-9


@given(truth=st.dictionaries(ids, truths, max_size=4), decisions=st.dictionaries(ids, st.just("review")))
def test_the_order_of_payments_makes_no_difference(
    truth: dict[str, Truth], decisions: dict[str, str]
) -> None:
    reports = {repr(evaluate(dict(order), decisions)) for order in permutations(truth.items())}

    assert len(reports) == 1


def test_the_table_names_every_scenario_and_writes_a_dash_for_none() -> None:
    table = as_table(evaluate(TRUTHS, DECISIONS))
    empty = as_table(evaluate({}, {}))

    assert "card_testing" in table
    assert "precision 66.7%" in table
    assert "value recall 90.0%" in table
    assert "precision -" in empty
