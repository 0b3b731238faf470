"""Lines of an export are decided again and counted; what is no payment of its own is counted apart, and parts add up to the whole."""

from __future__ import annotations

from base64 import b64decode
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from contract.exports import write_item
from contract.scored import Decision, to_history_item
from contract.side import Side
from engine.decide import decide_again
from engine.features.catalogue import FEATURE_SET
from engine.features.stored import pack
from engine.rules.model_section import RulesetModel
from lab.rows.deciding import RowJudge
from lab.rows.tally import EXAMPLES, RowsTally
from lab.rows.truth import Finding, LabelBook, counting_finding, payment_hash
from lab.simulated_rows import EXPIRES_AT_S, labels_of, simulated_rows
from tests.support.default_rules import RULESET
from tests.support.model_samples import make_model
from tests.support.past_samples import PACKED_BY_SET_861800
from tests.support.payments import make_scored, make_transaction
from tests.support.rule_samples import features, ruleset

if TYPE_CHECKING:
    from contract.scored import ScoredTransaction
    from engine.rules.ruleset import Ruleset
    from lab.rows.judged import JudgedRow

SEED = 7


def other_rules() -> Ruleset:
    """Rules that share some of their decisions with the default ones."""
    rules = ruleset(
        {"id": "dear", "when": "amount_ratio_to_mean_30d > 8.0 && amount_base > 200.0", "points": 60},
        {"id": "many", "when": "tx_count_10m > 5", "points": 85},
        {"id": "known", "when": "is_new_merchant", "points": -5},
        {"id": "quiet", "when": "is_weekend", "points": 5, "mode": "shadow"},
    )
    return rules.with_model(RulesetModel(make_model(), ((0.1, 15),)))


@cache
def simulated() -> tuple[list[bytes], LabelBook, list[ScoredTransaction]]:
    """Lines of simulated rows, and what is known of them."""
    rows, findings = [], {}
    for each in simulated_rows(4_000, SEED, RULESET):
        rows.append(each.row)
        finding = counting_finding(labels_of(each, SEED))
        if finding is not None:
            findings[payment_hash(each.row.transaction.user_id, each.row.event_key)] = finding
    return [line(row) for row in rows], LabelBook(findings), rows


def line(row: ScoredTransaction) -> bytes:
    return write_item(to_history_item(row, EXPIRES_AT_S))


def judged(lines: list[bytes], book: LabelBook | None = None, rules: Ruleset | None = None) -> RowsTally:
    judge = RowJudge(rules or other_rules(), book or LabelBook({}))
    for _ in judge.judge_all((each, "a.json.gz") for each in lines):
        pass
    return judge.tally


def scored(**changes: Any) -> ScoredTransaction:
    values = {
        "features": pack(features(amount_base=10.0)),
        "feature_set": "",
        "base_currency": None,
    } | changes

    return make_scored(**values | {"feature_set": values["feature_set"] or FEATURE_SET})


def test_every_simulated_row_is_decided_as_the_engine_decides_about_it() -> None:
    lines, book, rows = simulated()
    rules = other_rules()

    found: list[JudgedRow] = list(RowJudge(rules, book).judge_all((each, "") for each in lines))

    assert [each.again.assessment for each in found] == [decide_again(row, rules).assessment for row in rows]
    assert {each.again.assessment.decision for each in found} == set(Decision)
    assert [each.row.event_key for each in found] == [row.event_key for row in rows]


def test_by_the_same_rules_nothing_changes() -> None:
    lines, book, _ = simulated()

    tally = judged(lines, book, RULESET)

    assert {change.split()[0] for change in tally.changes} == {each.value for each in Decision}
    assert all(then == now for then, now in map(str.split, tally.changes))
    assert (tally.stored.only.payments, tally.again.only.payments) == (0, 0)
    assert tally.stored.rules == tally.again.rules


def test_parts_add_up_to_the_whole_in_any_order() -> None:
    lines, book, _ = simulated()
    whole = judged(lines, book)
    parts = [lines[start::7] for start in range(7)]
    Random(3).shuffle(parts)

    total = RowsTally()
    for part in parts:
        total.add(RowsTally.from_bytes(judged(part, book).to_bytes()))

    for side in (total.stored, total.again, whole.stored, whole.again):
        side.alerts.sort()
    assert total == whole


def test_payments_that_one_side_flags_alone_are_counted_by_its_rules_with_those_of_most_money() -> None:
    lines, book, _ = simulated()
    found = list(RowJudge(other_rules(), book).judge_all((each, "") for each in lines))

    tally = judged(lines, book)

    now = [
        each
        for each in found
        if each.stored.decision is Decision.APPROVE and each.again.assessment.decision is not Decision.APPROVE
    ]
    dear = [each for each in now if "dear" in {reason.rule_id for reason in each.again.assessment.reasons}]
    assert dear
    assert tally.again.only.payments == len(now)
    assert tally.again.only.fraud == sum(each.finding is Finding.FRAUD for each in now)
    difference = tally.again.only_by_rule["dear"]
    assert difference.amounts.payments == len(dear)
    assert difference.amounts.value == sum(each.value for each in dear)
    assert [example.value for example in difference.examples] == sorted(
        (each.value for each in dear), reverse=True
    )[:EXAMPLES]
    assert "known" not in tally.again.only_by_rule  # it speaks for a payment
    assert "model" in tally.again.only_by_rule


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (b"{}", "no line of a full export"),
        (write_item({"user_id": {"S": "u-1"}}), "transaction_history.detail: missing"),
        (line(scored(feature_set="00aaff")), "feature set 00aaff; known are "),
        (line(scored(features=b"\x90")), "transaction_history.features: not those of the row's feature set"),
    ],
)
def test_a_row_that_cannot_be_read_is_counted_by_its_problem_and_stops_nothing(
    bad: bytes, problem: str
) -> None:
    tally = judged([bad, line(scored()), bad])

    ((found, count),) = tally.unreadable.items()
    assert found.startswith(problem)
    assert (count, tally.rows, tally.all.payments) == (2, 3, 1)
    assert tally.first_unreadable == f"a.json.gz: {found}"


def test_repeats_and_canaries_are_no_payments() -> None:
    canary = make_transaction(user_id="canary-7")

    tally = judged([line(scored(repeats=5)), line(scored(transaction=canary)), line(scored())])

    assert (tally.repeats, tally.canaries, tally.all.payments) == (1, 1, 1)


def test_rows_of_an_older_feature_set_are_decided_and_named() -> None:
    old = scored(features=b64decode(PACKED_BY_SET_861800), feature_set="861800")

    tally = judged([line(old), line(scored())])

    assert tally.feature_sets["861800"] == 1
    assert tally.all.payments == 2


def test_money_is_that_of_the_row_and_its_base_currency_is_named_where_the_row_has_it() -> None:
    rows = [
        scored(features=pack(features(amount_base=12.3456)), base_currency="EUR"),
        scored(features=pack(features(amount_base=0.1))),
    ]

    tally = judged([line(row) for row in rows])

    assert tally.all.value == 124_456
    assert tally.base_currencies == {"EUR": 1}


def test_what_is_counted_is_as_large_as_what_differs_and_not_as_what_was_read() -> None:
    lines = [line(scored(decision=Decision.APPROVE, risk_score=0, reasons=()))]

    assert len(judged(lines * 1_000).to_bytes()) < len(judged(lines).to_bytes()) + 50


def test_a_label_is_found_by_the_key_of_its_row() -> None:
    row = scored(decision=Decision.BLOCK)
    book = LabelBook({payment_hash(row.transaction.user_id, row.event_key): Finding.FRAUD})

    assert judged([line(row)], book).all.fraud == 1
    assert judged([line(row)]).all.unknown == 1


def test_payments_that_a_candidate_decided_are_counted_apart() -> None:
    rows = [scored(ruleset_version="1+abc", side=side) for side in (Side.CHAMPION, Side.CANDIDATE)]

    tally = judged([line(row) for row in rows])

    assert tally.rulesets == {"1+abc": 1, "1+abc, candidate": 1}
