"""What the alert stage relies on in its tables, checked on every implementation of them.

A subclass gives the fixture ``tables``.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from alert.store import AlertTables, Claim
from alert.windows import AlertLimits, WindowDecision, decide_window
from contract.alert import AlertState
from contract.alert_windows import UserWindows
from contract.flagged import FlaggedKey, FlaggedTransaction, to_flagged_item, to_flagged_key
from tests.support.payments import NOW, make_flagged, make_transaction

if TYPE_CHECKING:
    from alert.stage import AlertStore

WIDTH = timedelta(minutes=15)
LIMITS = AlertLimits(
    width=WIDTH,
    again_factor=Decimal(2),
    again_amount=Decimal(5_000),
    again_minimum=Decimal(100),
    messages_per_hour=6,
)
"""As in the alert stage's function.yaml."""


class Tables(Protocol):
    """A store, and direct access to its table as the persist stage and analysts have it."""

    @property
    def store(self) -> AlertStore:
        """The store as the stage uses it."""
        ...

    def insert(self, flagged: FlaggedTransaction) -> None:
        """Put a row into flagged_transactions."""
        ...

    def delete(self, key: FlaggedKey) -> None:
        """Delete a row from flagged_transactions."""
        ...


def payment(name: str, minutes: float = 0, **changes: Any) -> FlaggedTransaction:
    """A flagged payment of ``user-1``, ``minutes`` after noon."""
    of_payment = {
        field: changes.pop(field) for field in ("user_id", "amount", "currency") if field in changes
    }
    at = NOW + timedelta(minutes=minutes)
    return make_flagged(make_transaction(transaction_id=name, timestamp=at, **of_payment), **changes)


def decided(tables: Tables, flagged: FlaggedTransaction) -> WindowDecision:
    """The decision that a stage would make now."""
    return decide_window(tables.store.windows_of(flagged.user_id), flagged, LIMITS, NOW)


def claim(tables: Tables, flagged: FlaggedTransaction) -> WindowDecision:
    """Insert a payment and write the decision on it."""
    tables.insert(flagged)
    decision = decided(tables, flagged)
    assert tables.store.claim(flagged.key, decision, NOW) is Claim.WRITTEN
    return decision


def row_of(tables: Tables, flagged: FlaggedTransaction) -> FlaggedTransaction | None:
    """A payment's row as it is stored now."""
    return tables.store.flagged(flagged.key)


class AlertStoreContract:
    """Tests of :class:`alert.stage.AlertStore`."""

    def test_user_without_a_row_has_no_windows(self, tables: Tables) -> None:
        assert tables.store.windows_of("user-1") == UserWindows(user_id="user-1")

    def test_row_that_does_not_exist_is_none(self, tables: Tables) -> None:
        assert row_of(tables, payment("tx-1")) is None

    def test_claim_marks_the_row_and_opens_the_window(self, tables: Tables) -> None:
        decision = claim(tables, payment("tx-1"))

        row = row_of(tables, payment("tx-1"))
        assert row is not None
        assert (row.alert_state, row.alert_id, row.alert_claim) == (
            AlertState.CLAIMED,
            decision.alert_id,
            decision.claim,
        )
        assert tables.store.windows_of("user-1") == decision.windows

    def test_rest_of_the_row_stays_as_it_was(self, tables: Tables) -> None:
        claim(tables, payment("tx-1"))

        row = row_of(tables, payment("tx-1"))
        assert row is not None
        unmarked = msgspec.structs.replace(row, alert_state=None, alert_id=None, alert_claim=None)
        assert unmarked == payment("tx-1")

    def test_suppressed_payment_names_the_alert_of_its_window_and_is_counted(self, tables: Tables) -> None:
        first = claim(tables, payment("tx-1"))
        claim(tables, payment("tx-2", 1, amount=Decimal("0.10")))

        row = row_of(tables, payment("tx-2", 1, amount=Decimal("0.10")))
        assert row is not None
        assert (row.alert_state, row.alert_id, row.alert_claim) == (
            AlertState.SUPPRESSED,
            first.alert_id,
            None,
        )
        suppressed = tables.store.windows_of("user-1").suppressed
        assert (suppressed.count, suppressed.totals) == (1, {"USD": Decimal("0.10")})
        assert row.suppression_id == suppressed.id is not None

    def test_claim_keeps_what_was_counted_before(self, tables: Tables) -> None:
        claim(tables, payment("tx-1"))
        claim(tables, payment("tx-2", 1))
        claim(tables, payment("tx-3", 60))

        row = row_of(tables, payment("tx-3", 60))
        assert row is not None
        assert row.alert_claim is not None
        before = row.alert_claim.suppressed_before
        assert (before.count, before.totals) == (1, {"USD": Decimal("1250.00")})

    def test_row_is_decided_on_once(self, tables: Tables) -> None:
        claim(tables, payment("tx-1"))
        before = tables.store.windows_of("user-1")

        again = tables.store.claim(payment("tx-1").key, decided(tables, payment("tx-1")), NOW)

        assert again is Claim.ROW_TAKEN
        assert tables.store.windows_of("user-1") == before

    def test_deleted_row_is_not_created_again(self, tables: Tables) -> None:
        deleted = tables.store.claim(payment("tx-1").key, decided(tables, payment("tx-1")), NOW)

        assert deleted is Claim.ROW_TAKEN
        assert row_of(tables, payment("tx-1")) is None
        assert tables.store.windows_of("user-1") == UserWindows(user_id="user-1")

    def test_second_opener_of_a_window_loses_and_does_not_change_its_row(self, tables: Tables) -> None:
        tables.insert(payment("tx-2"))
        stale = decided(tables, payment("tx-2"))
        claim(tables, payment("tx-1"))

        lost = tables.store.claim(payment("tx-2").key, stale, NOW)

        row = row_of(tables, payment("tx-2"))
        assert lost is Claim.WINDOWS_CHANGED
        assert row is not None
        assert row.alert_state is None

    def test_decision_from_stale_windows_loses(self, tables: Tables) -> None:
        claim(tables, payment("tx-1"))
        tables.insert(payment("tx-3", 2))
        stale = decided(tables, payment("tx-3", 2))
        claim(tables, payment("tx-2", 1))

        assert tables.store.claim(payment("tx-3", 2).key, stale, NOW) is Claim.WINDOWS_CHANGED
        assert tables.store.windows_of("user-1").suppressed.count == 1

    def test_taken_row_is_reported_before_changed_windows(self, tables: Tables) -> None:
        tables.insert(payment("tx-1"))
        stale = decided(tables, payment("tx-1"))
        assert tables.store.claim(payment("tx-1").key, stale, NOW) is Claim.WRITTEN

        assert tables.store.claim(payment("tx-1").key, stale, NOW) is Claim.ROW_TAKEN

    def test_users_do_not_share_windows(self, tables: Tables) -> None:
        claim(tables, payment("tx-1"))

        assert claim(tables, payment("tx-2", user_id="user-2")).state is AlertState.CLAIMED

    def test_claimed_row_is_marked_sent_once(self, tables: Tables) -> None:
        claim(tables, payment("tx-1"))

        assert tables.store.mark_sent(payment("tx-1").key, NOW)
        assert tables.store.mark_sent(payment("tx-1").key, NOW + timedelta(minutes=1))

        row = row_of(tables, payment("tx-1"))
        assert row is not None
        assert (row.alert_state, row.alerted_at) == (AlertState.SENT, NOW)

    def test_suppressed_or_deleted_row_is_not_marked_sent(self, tables: Tables) -> None:
        claim(tables, payment("tx-1"))
        claim(tables, payment("tx-2", 1))
        tables.delete(payment("tx-1").key)

        tables.store.mark_sent(payment("tx-1").key, NOW)
        tables.store.mark_sent(payment("tx-2", 1).key, NOW)

        row = row_of(tables, payment("tx-2", 1))
        assert row_of(tables, payment("tx-1")) is None
        assert row is not None
        assert row.alert_state is AlertState.SUPPRESSED


class DynamoDbTables:
    """Both tables, through a boto3 client."""

    def __init__(self, client: Any, flagged_table: str, windows_table: str) -> None:
        self.store: AlertStore = AlertTables(client, flagged_table, windows_table)
        self._client = client
        self._flagged_table = flagged_table

    def insert(self, flagged: FlaggedTransaction) -> None:
        """Put a row into flagged_transactions."""
        self._client.put_item(TableName=self._flagged_table, Item=to_flagged_item(flagged))

    def delete(self, key: FlaggedKey) -> None:
        """Delete a row from flagged_transactions."""
        self._client.delete_item(TableName=self._flagged_table, Key=to_flagged_key(key))
