"""A row is written for people with its reasons, its payment and every feature by name."""

from __future__ import annotations

from contract.scored import from_history_item, to_history_item
from engine.features.catalogue import FEATURE_NAMES, FEATURE_SET
from engine.features.past import PAST_CATALOGUES
from engine.features.stored import pack
from lab.row_text import row_text
from tests.support.payments import make_scored, make_transaction
from tests.support.rule_samples import features

ROW = make_scored(
    features=pack(features(amount=1250.5, tx_count_1h=1234, is_new_device=True, country="FR")),
    feature_set=FEATURE_SET,
    shadow_rule_ids=("quiet",),
    failed_rule_ids=("broken", "worse"),
    degraded=True,
)


def test_the_first_lines_are_the_decision_and_its_reasons() -> None:
    lines = row_text(ROW).splitlines()

    assert lines[0] == "2026-03-01T11:59:00.000000Z.GslHS1QToi0#tx-1  block, risk score 85"
    assert lines[1] == "   +60  8,000 km from the last payment in 30 minutes.  [impossible_travel]"
    assert lines[2] == "   +25  25 times the usual amount.  [high_amount]"


def test_a_payment_shows_which_of_its_fields_could_not_be_used() -> None:
    row = make_scored(make_transaction(ip_address=None, invalid_fields=("ip_address", "location.country")))

    lines = row_text(from_history_item(to_history_item(row, 0))).splitlines()

    (line,) = [line for line in lines if line.startswith("  invalid_fields")]
    assert "'ip_address', 'location.country'" in line


def test_every_feature_has_its_line_with_its_value() -> None:
    lines = row_text(from_history_item(to_history_item(ROW, 0))).splitlines()
    shown = dict(line.split(maxsplit=1) for line in lines[lines.index(f"features (set {FEATURE_SET})") + 1 :])

    assert tuple(shown) == FEATURE_NAMES
    assert shown["amount"] == "1,250.5"
    assert shown["tx_count_1h"] == "1,234"
    assert shown["is_new_device"] == "true"
    assert shown["is_new_payee"] == "false"
    assert shown["country"] == "'FR'"


def test_the_payment_and_where_it_was_scored_are_shown() -> None:
    text = row_text(ROW)

    assert "  merchant_id                merchant-1" in text
    assert "transaction_stream/3/42, appended 2026-03-01T11:59:30+00:00" in text
    assert "2026-03-01T11:59:31+00:00, without the cache" in text
    assert "  shadow rules that hold     quiet" in text
    assert "  rules that failed          broken, worse" in text


def test_features_of_an_unknown_catalogue_are_not_guessed() -> None:
    text = row_text(make_scored(feature_set="00aaff"))

    known = ", ".join(sorted([*PAST_CATALOGUES, FEATURE_SET]))
    assert text.endswith(f"  not readable here: feature set 00aaff; known are {known}")
