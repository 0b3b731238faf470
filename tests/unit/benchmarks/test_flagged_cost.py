"""What an alerted payment writes is counted from the rows as they are stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from benchmarks.flagged_cost import alerted_units
from contract.reason import Reason
from contract.scored import Decision, to_history_item
from tests.support.payments import make_scored

if TYPE_CHECKING:
    from contract.scored import ScoredTransaction


def body(*scored: ScoredTransaction) -> str:
    statements = []
    for one in scored:
        item = to_history_item(one, 0)
        fields = ", ".join(f"'{name}': ?" for name in item)
        statements.append(
            {"Statement": f'INSERT INTO "t" VALUE {{{fields}}}', "Parameters": list(item.values())}
        )
    return msgspec.json.encode({"Statements": statements}).decode()


def test_insert_claim_and_case_in_transactions_and_mark_are_counted_by_the_row_s_size() -> None:
    long = Reason("rule", 90, "x" * 1_500)

    units = alerted_units([body(make_scored(), make_scored(reasons=(long,)))])

    # Below 1 KiB until it is marked as sent; above 2 KiB.
    assert units == [1 + 2 * 1 + 2 + 2 * 2, 3 + 2 * 3 + 3 + 2 * 3]


def test_approved_payments_write_no_flagged_row() -> None:
    assert alerted_units([body(make_scored(decision=Decision.APPROVE))]) == []
