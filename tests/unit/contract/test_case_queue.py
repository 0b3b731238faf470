"""What somebody sees of the queue."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from contract.alert import Severity
from contract.case import QueuedCase, Tally, from_queued_item, to_case_item
from contract.case_queue import QueueFilter, at_risk_base
from contract.case_work import LEASE
from tests.support.cases import make_case
from tests.support.payments import NOW

HELD: dict[str, Any] = {"status": "claimed", "assignee": "ann", "lease_until": NOW + LEASE}


def queued(**changes: Any) -> QueuedCase:
    """A case as the index has it."""
    return from_queued_item(to_case_item(make_case(**changes)))


def test_money_at_risk_is_what_nobody_called_legitimate() -> None:
    case = queued(undecided=Tally(1, Decimal(5)), fraud=Tally(1, Decimal(7)), legitimate=Tally(1, Decimal(9)))

    assert at_risk_base(case) == 12


@pytest.mark.parametrize(
    ("wanted", "taken", "left_out"),
    [
        (QueueFilter(severities=frozenset({Severity.HIGH})), {}, {"severity": Severity.MEDIUM}),
        (QueueFilter(at_risk_base_from=Decimal(1250)), {}, {"undecided": Tally(1, Decimal("1249.99"))}),
        (QueueFilter(is_overdue=True), {"due_at": NOW - timedelta(seconds=1)}, {"due_at": NOW}),
        (QueueFilter(is_free=True), HELD | {"lease_until": NOW}, HELD),
        (QueueFilter(assignee="ann"), HELD, HELD | {"assignee": "bob"}),
        (QueueFilter(assignee="ann"), HELD, HELD | {"lease_until": NOW}),
    ],
)
def test_a_filter_takes_what_it_names(
    wanted: QueueFilter, taken: dict[str, Any], left_out: dict[str, Any]
) -> None:
    assert wanted.takes(queued(**taken), NOW)
    assert not wanted.takes(queued(**left_out), NOW)
    assert QueueFilter().takes(queued(**left_out), NOW)


def test_a_case_that_was_left_with_nothing_to_decide_is_not_shown() -> None:
    left = HELD | {"undecided": Tally(), "fraud": Tally(1, Decimal(5))}

    assert QueueFilter().takes(queued(**left), NOW)
    assert not QueueFilter().takes(queued(**left | {"lease_until": NOW}), NOW)
