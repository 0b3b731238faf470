"""Alert and digest stage on shared tables and a shared subscriber, with workers that can crash or be overtaken at any step."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from common.alert_windows import windows_backoff
from contract.alert import Alert, AlertDigest, decode_message
from digest.stage import DigestStage
from digest.store import Due
from tests.support.payments import NOW, Log, Metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from common.topic import AlertMessage
    from contract.alert_windows import UserWindows
    from tests.unit.alert.tables import DictTables


class Inbox:
    """The topic, with one subscriber."""

    def __init__(self) -> None:
        self.messages: list[Alert | AlertDigest] = []

    @property
    def digests(self) -> list[AlertDigest]:
        return [one for one in self.messages if isinstance(one, AlertDigest)]

    def publish(self, message: AlertMessage) -> None:
        texts: dict[str, str] = msgspec.json.decode(message.body)
        self.messages.append(decode_message(texts["default"]))


class Step:
    """Steps of the digest stage at which something can happen to it."""

    BEFORE_CLAIM = "before claim"
    AFTER_CLAIM = "after claim"
    BEFORE_PUBLISH = "before publish"
    AFTER_PUBLISH = "after publish"
    BEFORE_MARK = "before mark"
    AFTER_MARK = "after mark"
    ALL = (BEFORE_CLAIM, AFTER_CLAIM, BEFORE_PUBLISH, AFTER_PUBLISH, BEFORE_MARK, AFTER_MARK)


class DigestWorker:
    """A digest stage on the tables, at one time; ``at`` maps a step to what happens there."""

    def __init__(
        self,
        tables: DictTables,
        inbox: Inbox,
        now: datetime = NOW + timedelta(hours=2),
        at: dict[str, Callable[[], None]] | None = None,
    ) -> None:
        self.tables = tables
        self.inbox = inbox
        self.now = now
        self.at = at or {}
        self.metrics = Metrics()
        self.log = Log()
        self.waits: list[float] = []
        backoff = windows_backoff(self.waits.append, lambda: 0.5)
        self.stage = DigestStage(self, self, self.metrics, self.log, lambda: self.now, backoff)

    def due(self, now: datetime, limit: int) -> Iterator[Due]:
        for windows in list(self.tables.windows.values())[:limit]:
            if windows.due_at is not None and windows.due_at <= now:
                yield Due(windows.user_id, windows.due_at)

    def windows_of(self, user_id: str) -> UserWindows:
        return self.tables.windows_of(user_id)

    def replace(self, windows: UserWindows, now: datetime) -> bool:
        is_claim = windows.digest is not None
        self._reach(Step.BEFORE_CLAIM if is_claim else Step.BEFORE_MARK)
        if self.tables.windows_of(windows.user_id).version != windows.version - 1:
            return False
        self.tables.windows[windows.user_id] = windows
        self._reach(Step.AFTER_CLAIM if is_claim else Step.AFTER_MARK)
        return True

    def publish(self, message: AlertMessage) -> None:
        self._reach(Step.BEFORE_PUBLISH)
        self.inbox.publish(message)
        self._reach(Step.AFTER_PUBLISH)

    def _reach(self, step: str) -> None:
        happening = self.at.get(step)
        if happening is not None:
            happening()
