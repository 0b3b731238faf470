from __future__ import annotations

import csv
import io

from contract.truth import SentPayment
from lab.backtest import run_backtest
from lab.backtest.scores import COLUMNS, ScoreWriter
from tests.support.backtest_samples import ruleset, sent

TWO_RULES = """
version: "1"
base_currency: USD
thresholds: {review: 50, block: 90}
rules:
  - {id: large, when: amount_base > 100.0, points: 90, reason: "Large."}
  - {id: usual, when: amount_base < 10.0, points: -30, reason: "Small."}
  - {id: any_amount, when: amount_base > 0.0, points: 20, reason: "Any."}
"""


def scores(payments: list[SentPayment]) -> list[list[str]]:
    file = io.StringIO(newline="")
    run_backtest(payments, ruleset(TWO_RULES), write=ScoreWriter(file).write)
    return list(csv.reader(io.StringIO(file.getvalue(), newline="")))


def test_each_payment_is_a_line_with_points_that_are_not_held_to_100() -> None:
    rows = scores([sent(1, "150"), sent(2, "50"), sent(3, "5")])

    assert rows == [
        ["transaction_id", "user_id", "timestamp", "decision", "risk_score", "points", "reason_ids"],
        ["t1", "u", "2026-03-31T18:31:00.000000Z", "block", "100", "110", "large any_amount"],
        ["t2", "u", "2026-03-31T18:32:00.000000Z", "approve", "20", "20", "any_amount"],
        ["t3", "u", "2026-03-31T18:33:00.000000Z", "approve", "0", "-10", "any_amount usual"],
    ]
    assert rows[0] == [column.name for column in COLUMNS]


def test_ids_with_commas_and_quotes_are_read_back() -> None:
    rows = scores([sent(1, "5", transaction_id='a,"b"', user_id="x;'y")])

    assert rows[1][:2] == ['a,"b"', "x;'y"]


def test_records_on_which_nothing_is_decided_have_no_line() -> None:
    rows = scores([sent(1, "150"), sent(2, "-1"), sent(1, "150"), SentPayment(record={}, raw=b"no json")])

    assert [row[0] for row in rows[1:]] == ["t1"]
