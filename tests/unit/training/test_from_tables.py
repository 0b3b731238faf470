"""What the running system has stored is trained on as it was then, in whatever order its rows come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from contract.canary import is_canary
from contract.clock import TimeBasis
from contract.items import to_item
from contract.label import FraudType, LabelVerdict
from contract.scored import Decision, ScoredTransaction, to_history_item
from engine.features.catalogue import FEATURE_SET
from engine.features.stored import pack
from tests.support.exports import write_exports
from tests.support.labels import make_label, make_withdrawal
from tests.support.model_samples import make_model
from tests.support.payments import make_scored, make_transaction
from tests.support.rule_samples import features, ruleset
from training.columns import columns
from training.errors import TrainingError
from training.evaluation import LaterPayments
from training.export import ExportedTables
from training.from_tables import ModelOf, StoredPayments
from training.options import window_of
from training.point_in_time import PointInTime, TrainingSet
from training.tables import StoredRow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contract.label import Label
    from training.tables import Tables

UNTIL = datetime(2026, 3, 31, tzinfo=UTC)
WINDOW = window_of(UNTIL, train_days=21, label_delay_days=7)
"""From 3 to 24 March, with labels as of the 31st."""
WINDOW_BEGIN = datetime.fromtimestamp(WINDOW.begin_s, UTC)
INSIDE = datetime(2026, 3, 10, 12, tzinfo=UTC)
RULESET = ruleset({"when": "amount_base > 100.0", "points": 30})
USED = tuple(each for each in columns() if each.name == "amount_base")


@dataclass
class Memory:
    """Tables in memory."""

    rows: list[dict[str, Any]]
    labelled: list[dict[str, Any]]
    name: str = "the test"

    def history(self) -> Iterator[StoredRow]:
        return (StoredRow(row, "transaction_history", number) for number, row in enumerate(self.rows, 1))

    def labels(self) -> Iterator[StoredRow]:
        return (StoredRow(row, "labels", number) for number, row in enumerate(self.labelled, 1))


def _payment(name: str, amount: float, at: datetime = INSIDE, **changes: Any) -> ScoredTransaction:
    """Approved, of a trusted feed, one user each."""
    payment = make_transaction(
        transaction_id=name, user_id=changes.pop("user_id", f"user-{name}"), timestamp=at
    )
    fields: dict[str, Any] = {
        "decision": Decision.APPROVE,
        "basis": TimeBasis.TRUSTED,
        "features": pack(features(amount_base=amount)),
        "feature_set": FEATURE_SET,
        "appended_at": at + timedelta(hours=1),
    }
    return make_scored(payment, **fields | changes)


def _label(payment: ScoredTransaction, known_at: datetime, **changes: Any) -> Label:
    return make_label(
        user_id=payment.transaction.user_id, event_key=payment.event_key, known_at=known_at, **changes
    )


def _memory(payments: list[ScoredTransaction], *labels: Label) -> Memory:
    return Memory([to_history_item(each, 0) for each in payments], [to_item(each) for each in labels])


def _collected(tables: Tables) -> TrainingSet:
    collected = PointInTime(WINDOW, USED)
    StoredPayments(tables, RULESET).collect([collected])
    return collected.labelled()


def _amounts(tables: Tables) -> list[float]:
    return sorted(_collected(tables).values[:, 0].tolist())


def test_the_features_are_those_that_were_stored_and_the_points_those_of_the_rules_for_them() -> None:
    training_set = _collected(_memory([_payment("a", 99.0), _payment("b", 250.0)]))

    found = dict(zip(training_set.values[:, 0].tolist(), training_set.points.tolist(), strict=True))
    assert found == {99.0: 0, 250.0: 30}


def test_a_payment_counts_by_its_clock() -> None:
    begin, end = (datetime.fromtimestamp(each, UTC) for each in WINDOW[:2])
    late: dict[str, Any] = {"basis": TimeBasis.BELIEVED}
    payments = [
        _payment("a", 1.0, begin),
        _payment("b", 2.0, begin - timedelta(seconds=1)),
        _payment("c", 3.0, begin - timedelta(hours=23), appended_at=begin, **late),
        _payment("d", 4.0, end),
        _payment("e", 5.0, end - timedelta(seconds=1)),
        _payment("f", 6.0, end - timedelta(seconds=1), appended_at=end, **late),
    ]

    assert _amounts(_memory(payments)) == [1.0, 3.0, 5.0]


def test_a_label_counts_as_of_when_it_was_known() -> None:
    known, late, honest = _payment("a", 1.0), _payment("b", 2.0), _payment("c", 3.0)

    training_set = _collected(
        _memory(
            [known, late, honest],
            _label(known, UNTIL),
            _label(late, UNTIL + timedelta(microseconds=1)),
            _label(honest, UNTIL, verdict=LabelVerdict.LEGITIMATE),
        )
    )

    assert training_set.values[training_set.is_fraud, 0].tolist() == [1.0]


def test_which_of_several_labels_counts_is_the_contracts_rule_as_of_that_time() -> None:
    payment = _payment("a", 1.0)
    label = _label(payment, INSIDE + timedelta(days=1))
    withdrawal = make_withdrawal(label, user_id=label.user_id, event_key=label.event_key)
    after = UNTIL + timedelta(days=1)
    later = make_withdrawal(label, user_id=label.user_id, event_key=label.event_key, known_at=after)

    assert not _collected(_memory([payment], withdrawal, label)).is_fraud[0]
    assert _collected(_memory([payment], later, label)).is_fraud[0]


def test_a_label_of_another_user_with_the_same_key_says_nothing() -> None:
    one, other = _payment("a", 1.0, user_id="one"), _payment("a", 2.0, user_id="other")
    assert one.event_key == other.event_key

    training_set = _collected(_memory([one, other], _label(other, UNTIL)))

    assert training_set.values[training_set.is_fraud, 0].tolist() == [2.0]


def test_what_was_blocked_and_never_judged_is_left_out() -> None:
    blocked: dict[str, Any] = {"decision": Decision.BLOCK}
    unknown, judged = _payment("a", 1.0, **blocked), _payment("b", 2.0, **blocked)

    training_set = _collected(
        _memory([unknown, judged], _label(judged, UNTIL, verdict=LabelVerdict.LEGITIMATE))
    )

    assert training_set.values[:, 0].tolist() == [2.0]
    assert training_set.left_out == 1


def test_canaries_repeats_and_a_second_copy_of_a_row_are_left_out() -> None:
    canary, twice = _payment("a", 1.0, user_id="canary-7"), _payment("c", 3.0)
    assert is_canary(canary.transaction.user_id)

    assert _amounts(_memory([canary, _payment("b", 2.0, repeats=5), twice, twice])) == [3.0]


def test_payments_with_features_of_another_version_are_left_out_and_counted() -> None:
    outside = _payment("a", 1.0, WINDOW_BEGIN - timedelta(days=3), feature_set="1", features=b"\x90")
    other = _payment("b", 2.0, feature_set="1", features=b"\x90")
    payments = StoredPayments(_memory([outside, other, _payment("c", 3.0)]), RULESET)
    collected = PointInTime(WINDOW, USED)

    payments.collect([collected])

    assert payments.others == 1
    assert collected.labelled().values[:, 0].tolist() == [3.0]


def test_the_order_of_the_rows_changes_nothing() -> None:
    payments = [_payment(f"p{number}", float(number)) for number in range(40)]
    labels = [_label(each, UNTIL) for each in payments[::3]]

    there, back = _memory(payments, *labels), _memory(payments[::-1], *labels[::-1])

    assert _collected(there).sha256 == _collected(back).sha256


def test_an_export_gives_the_same_set_as_the_tables(tmp_path: Path) -> None:
    payments = [_payment(f"p{number}", float(number)) for number in range(9)]
    memory = _memory(payments, *(_label(each, UNTIL) for each in payments[::2]))

    exported = ExportedTables(write_exports(tmp_path, memory.rows, memory.labelled))

    assert _collected(exported).sha256 == _collected(memory).sha256


def test_amounts_in_another_base_currency_are_refused() -> None:
    other = _payment("a", 1.0, decision=Decision.REVIEW, base_currency="EUR", amount_base=Decimal(1))

    with pytest.raises(
        TrainingError, match=r"transaction_history, row 1: .* in EUR, those of the ruleset in USD"
    ):
        _collected(_memory([other]))


@pytest.mark.parametrize("table", ["transaction_history", "labels"])
def test_a_row_that_cannot_be_read_is_named_by_its_place_and_attribute(table: str) -> None:
    payment = _payment("a", 1.0)
    memory = _memory([payment], _label(payment, UNTIL))
    rows, attribute = (
        (memory.rows, "risk_score") if table == "transaction_history" else (memory.labelled, "verdict")
    )
    rows[0][attribute] = {"S": "somebody"}

    with pytest.raises(TrainingError, match=rf"{table}, row 1: .*{attribute}") as caught:
        _collected(memory)

    assert "somebody" not in str(caught.value)


def _evaluated(tables: Tables, **changes: Any) -> LaterPayments:
    payments = StoredPayments(tables, RULESET)
    later = LaterPayments(WINDOW.as_of_s, payments.users, **changes)
    week_s = 7 * 86_400
    models = [
        ModelOf(make_model(), WINDOW.as_of_s + week * week_s, WINDOW.as_of_s + (week + 1) * week_s)
        for week in range(2)
    ]
    payments.evaluate(later, models)
    return later


def test_later_payments_are_evaluated_by_what_is_known_of_them_now() -> None:
    after = UNTIL + timedelta(days=8)
    fraud, honest, unknown = (
        _payment("a", 10.0, after),
        _payment("b", 20.0, after),
        _payment("c", 30.0, after, decision=Decision.BLOCK),
    )
    label = _label(fraud, after + timedelta(days=90), fraud_type=FraudType.MULE)

    found = _evaluated(
        _memory([fraud, honest, unknown, _payment("d", 40.0, UNTIL - timedelta(days=1))], label)
    ).columns()

    assert found is not None
    assert dict(zip(found.value.tolist(), found.scenario.tolist(), strict=True)) == {10.0: "mule", 20.0: ""}
    assert found.week.tolist() == [1, 1]


def test_of_very_many_payments_those_of_some_users_are_evaluated_and_all_of_theirs() -> None:
    after = UNTIL + timedelta(days=1)
    payments = [_payment(f"p{number}", 1.0, after, user_id=f"u{number % 64}") for number in range(256)]

    later = _evaluated(_memory(payments), max_kept=100)

    found = later.columns()
    assert found is not None
    assert later.every >= 4
    assert 0 < found.user.size <= 100
    assert found.user.size == 4 * len(set(found.user.tolist()))
