"""What pages read to the end of a partition, on AWS's own DynamoDB Local: payments that are to be judged, and changes of the ruleset."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from common.ruleset_changes import ChangeRows
from console.records import MAX_PAGES, Records, Tables
from contract.flagged import CONFIRMED_FRAUD, OPEN, to_flagged_item
from contract.ruleset_change import ChangeKind, make_change
from tests.support.case_store_contract import payment
from tests.support.cases import make_case
from tests.support.payments import Log
from tests.support.small_pages import SmallPages
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable


def test_all_that_is_to_be_judged_is_read_of_a_user_with_many_rows(
    dynamodb_local: Any, unique_name: Callable[[str], str]
) -> None:
    flagged = make_table(dynamodb_local, "flagged_transactions", unique_name)
    decisions = make_table(dynamodb_local, "case_decisions", unique_name)
    tables = Tables(flagged, "-", "-", "-", "-", "-", decisions)
    client: Any = SmallPages(dynamodb_local)
    records = Records(client, tables, "", lambda _: None)
    case = make_case()
    rows = [
        payment(f"tx-{number}", number, case_id=case.case_id, status=OPEN if number < 2 else CONFIRMED_FRAUD)
        for number in range(2 * MAX_PAGES + 6)
    ]
    other = msgspec.structs.replace(payment("tx-other", -1), case_id="80048216f18b6e4f9049b00fb70d7d1f-9")
    for row in (*rows, other):
        dynamodb_local.put_item(TableName=flagged, Item=to_flagged_item(row))

    read = records.payments_to_judge(case, 500)
    first = records.payments_to_judge(case, 1)

    assert [each.event_key for each in read] == sorted(
        each.event_key for each in (*rows[:2], *rows[-2 * MAX_PAGES :])
    )
    assert [each.event_key for each in first] == [rows[1].event_key]


def test_every_change_of_the_ruleset_is_read_down_to_the_first_month(
    dynamodb_local: Any, unique_name: Callable[[str], str]
) -> None:
    table = make_table(dynamodb_local, "ruleset_changes", unique_name)
    rows = ChangeRows(dynamodb_local, table, Log())
    made = [
        make_change(
            changed_at=datetime(2026, 6, 1, tzinfo=UTC) - timedelta(days=20 * number),
            digest_after="0123456789ab",
            kind=ChangeKind.TO_ALL,
            changed_by="ann",
            reason="a better one",
            version_after="1",
        )
        for number in range(7)
    ]
    for change in made:
        rows.put(change)

    assert list(rows.before("2026-06", "2026-06-02")) == made
    assert list(rows.before(made[2].changed_in, made[2].change_key)) == made[3:]
