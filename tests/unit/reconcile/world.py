"""Tables as DynamoDB has them, and a reconciler with its stages."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from common.batch_requests import UnansweredError
from contract.case import to_case_item
from contract.flagged import flag, to_flagged_item
from contract.scored import to_history_item
from reconcile.stage import Reconciler
from reconcile.tables import Tables
from tests.support.cases import make_case
from tests.support.payments import NOW, Metrics, make_scored, make_transaction
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from contract.alert import AlertState
    from contract.scored import ScoredTransaction

CLEAN: Final = {
    "checked": 0,
    "flagged_rows_repaired": 0,
    "alerts_repaired": 0,
    "cases_repaired": 0,
    "cases_recounted": 0,
    "repairs_failed": 0,
    "hours_unchecked": 0,
}


class Stage:
    """A stage that takes rows, and refuses those of some users."""

    def __init__(self) -> None:
        self.rows: list[Mapping[str, Any]] = []
        self.refuses: set[str] = set()
        self.fails = False

    def send(self, rows: Sequence[Mapping[str, Any]], has_time: Callable[[], bool]) -> int:
        if self.fails and rows:
            raise UnansweredError("flagged_transactions", 20)
        if not has_time():
            return len(rows)
        refused = [row for row in rows if row["user_id"]["S"] in self.refuses]
        self.rows += [row for row in rows if row not in refused]
        return len(refused)

    @property
    def users(self) -> list[str]:
        return sorted(row["user_id"]["S"] for row in self.rows)


class Log:
    """Keeps errors; what is no error found nothing."""

    def __init__(self) -> None:
        self.errors: list[Mapping[str, Any]] = []

    def error(self, _: str, **fields: Any) -> None:
        self.errors.append(fields)

    def info(self, _: str, **fields: Any) -> None:
        assert all(value == 0 for name, value in fields.items() if name not in {"checked", "cases_recounted"})


class World:
    """The tables, and a reconciler with its stages."""

    def __init__(self, dynamodb: Any) -> None:
        self.dynamodb = dynamodb
        for table in ("transaction_history", "flagged_transactions", "cases"):
            make_table(dynamodb, table)
        self.persist, self.alert, self.case, self.metrics = Stage(), Stage(), Stage(), Metrics()
        self.log: Any = Log()

    def decided(
        self, user_id: str, *, age: timedelta = timedelta(hours=2), **changes: Any
    ) -> ScoredTransaction:
        """Store a payment's row, decided so long ago."""
        scored = make_scored(make_transaction(user_id=user_id), scored_at=NOW - age, **changes)
        # boto3 takes binary values as they are; the row's form has them in base64, as requests and streams do.
        item = {**to_history_item(scored, 1_900_000_000), "features": {"B": scored.features}}
        self.dynamodb.put_item(TableName="transaction_history", Item=item)
        return scored

    def flagged(
        self,
        scored: ScoredTransaction,
        state: AlertState | None,
        *,
        case_id: str | None = "",
        age: timedelta = timedelta(hours=2),
        **changes: Any,
    ) -> None:
        """Store its flagged row, settled in the user's first case unless that is said to be another."""
        case = make_case(scored.transaction.user_id)
        self.dynamodb.put_item(TableName="cases", Item=to_case_item(case))
        row = flag(scored, NOW - age, timedelta(days=1))
        case_id = case.case_id if case_id == "" else case_id
        marks = {"alert_state": state, "case_id": case_id, "case_judgement": "undecided"} | changes
        item = to_flagged_item(msgspec.structs.replace(row, **marks))
        self.dynamodb.put_item(TableName="flagged_transactions", Item=item)

    def run(self, *, has_time: Callable[[], bool] = lambda: True, **request: Any) -> dict[str, int]:
        tables = Tables(self.dynamodb, "transaction_history", "flagged_transactions", "cases", lambda _: None)
        reconciler = Reconciler(
            tables,
            self.persist,
            self.alert,
            self.case,
            timedelta(hours=48),
            timedelta(minutes=30),
            self.metrics,
            self.log,
            lambda: NOW,
        )
        return dict(reconciler.run(request, has_time))  # type: ignore[arg-type] # a TypedDict's values
