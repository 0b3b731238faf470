"""The alert stage's two tables in dicts, and a worker that can be made to crash or to be overtaken at any step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from alert.stage import AlertStage
from alert.store import Claim
from common.alert_windows import windows_backoff
from common.topic import PublishError
from contract.alert import Alert, AlertState, decode_alert
from contract.alert_windows import UserWindows
from contract.flagged import FlaggedKey, FlaggedTransaction, to_flagged_item
from tests.support.alert_store_contract import LIMITS, payment
from tests.support.crashes import make_crashes
from tests.support.payments import NOW, Log, Metrics

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from alert.windows import WindowDecision
    from common.topic import AlertMessage, Topic


ONE, TWO, THREE = payment("tx-1"), payment("tx-2", 1), payment("tx-3", 2)
"""Flagged payments of one user within one window."""


class Crash(BaseException):
    """The worker crashed: no exception handler catches it."""


class DictTables:
    """Both tables; also an :class:`alert.stage.AlertStore` of itself."""

    def __init__(self) -> None:
        self.rows: dict[FlaggedKey, FlaggedTransaction] = {}
        self.windows: dict[str, UserWindows] = {}

    @property
    def store(self) -> DictTables:
        """Itself."""
        return self

    def insert(self, flagged: FlaggedTransaction) -> None:
        self.rows[flagged.key] = flagged

    def delete(self, key: FlaggedKey) -> None:
        del self.rows[key]

    def windows_of(self, user_id: str) -> UserWindows:
        return self.windows.get(user_id, UserWindows(user_id=user_id))

    def flagged(self, key: FlaggedKey) -> FlaggedTransaction | None:
        return self.rows.get(key)

    def claim(self, key: FlaggedKey, decision: WindowDecision, now: datetime) -> Claim:
        row = self.rows.get(key)
        if row is None or row.alert_state is not None:
            return Claim.ROW_TAKEN
        user_id = decision.windows.user_id
        if self.windows_of(user_id).version != decision.windows.version - 1:
            return Claim.WINDOWS_CHANGED
        self.windows[user_id] = decision.windows
        self.rows[key] = msgspec.structs.replace(
            row,
            alert_state=decision.state,
            alert_id=decision.alert_id,
            suppression_id=decision.suppression_id,
            alert_claim=decision.claim,
        )
        return Claim.WRITTEN

    def mark_sent(self, key: FlaggedKey, alerted_at: datetime) -> bool:
        row = self.rows.get(key)
        if row is not None and row.alert_state is AlertState.CLAIMED:
            self.rows[key] = msgspec.structs.replace(row, alert_state=AlertState.SENT, alerted_at=alerted_at)
        return True


class Inbox:
    """The topic, with one subscriber."""

    def __init__(self) -> None:
        self.alerts: list[Alert] = []

    def publish(self, message: AlertMessage) -> None:
        texts: dict[str, str] = msgspec.json.decode(message.body)
        self.alerts.append(decode_alert(texts["default"]))


class Step:
    """Steps of a worker at which something can happen to it."""

    BEFORE_CLAIM = "before claim"
    AFTER_CLAIM = "after claim"
    BEFORE_PUBLISH = "before publish"
    AFTER_PUBLISH = "after publish"
    AFTER_MARK = "after mark"
    ALL = (BEFORE_CLAIM, AFTER_CLAIM, BEFORE_PUBLISH, AFTER_PUBLISH, AFTER_MARK)


class Worker:
    """An alert stage on shared tables and a shared inbox.

    ``at`` maps a step to what happens there: :data:`crash`, :data:`fail`, or another worker's turn.
    """

    def __init__(
        self, tables: DictTables, inbox: Topic, at: dict[str, Callable[[], None]] | None = None
    ) -> None:
        self.tables = tables
        self.inbox = inbox
        self.at = at or {}
        self.metrics = Metrics()
        self.log = Log()
        self.waits: list[float] = []
        self.marks_refused = 0
        self.stage = AlertStage(
            self,
            self,
            LIMITS,
            self.metrics,
            self.log,
            make_crashes(),
            lambda: NOW,
            windows_backoff(self.waits.append, lambda: 0.5),
        )

    def alert_on(self, flagged: FlaggedTransaction) -> None:
        """Handle one record of the stream: the row as it was inserted."""
        self.stage.alert_on_row(to_flagged_item(flagged))

    def windows_of(self, user_id: str) -> UserWindows:
        return self.tables.windows_of(user_id)

    def flagged(self, key: FlaggedKey) -> FlaggedTransaction | None:
        return self.tables.flagged(key)

    def claim(self, key: FlaggedKey, decision: WindowDecision, now: datetime) -> Claim:
        self._reach(Step.BEFORE_CLAIM)
        claim = self.tables.claim(key, decision, now)
        self._reach(Step.AFTER_CLAIM)
        return claim

    def publish(self, message: AlertMessage) -> None:
        self._reach(Step.BEFORE_PUBLISH)
        self.inbox.publish(message)
        self._reach(Step.AFTER_PUBLISH)

    def mark_sent(self, key: FlaggedKey, alerted_at: datetime) -> bool:
        if self.marks_refused:
            self.marks_refused -= 1
            return False
        marked = self.tables.mark_sent(key, alerted_at)
        self._reach(Step.AFTER_MARK)
        return marked

    def _reach(self, step: str) -> None:
        happening = self.at.get(step)
        if happening is not None:
            happening()


def crash() -> None:
    """End the worker."""
    raise Crash


def fail() -> None:
    """Let the topic refuse the message, or lose its answer."""
    raise PublishError("ServiceUnavailable")
