"""The label stage's tables as dictionaries: fast enough for thousands of orders of events. The tables themselves are tested apart."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from common.label_tables import MAX_FRAUDS
from contract.clock import TIME_CHARACTERS, time_text
from contract.label_rows import FRAUD, EntityMarks
from engine.labels import risk_keys
from label.finder import Payment
from label.store import Flagged, status_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contract.flagged import FlaggedKey
    from contract.label import Label, LabelMessage
    from contract.label_rows import PendingLabel
    from contract.scored import ScoredTransaction

_TIME = slice(2, 2 + TIME_CHARACTERS)


class MemoryTables:
    """All that the stage reads and writes but the cache: its finder, its source of labels and its store."""

    def __init__(self) -> None:
        self.payments: dict[FlaggedKey, ScoredTransaction] = {}
        self.statuses: dict[FlaggedKey, str] = {}
        self.labels: dict[tuple[str, str, str], Label] = {}
        self.risk: dict[tuple[str, str], datetime] = {}
        self.waiting: dict[str, PendingLabel] = {}

    def find(self, message: LabelMessage) -> Payment | None:
        found = [
            Payment(key, row)
            for key, row in self.payments.items()
            if row.transaction.transaction_id == message.transaction_id
        ]
        return found[0] if found else None

    def of_payment(self, user_id: str, event_key: str) -> list[Label]:
        return [label for label in self._of(user_id) if label.event_key == event_key]

    def of_user(self, user_id: str) -> list[Label]:
        return self._of(user_id)

    def marks(self, entity_id: str) -> EntityMarks:
        rows = {key: known for (entity, key), known in self.risk.items() if entity == entity_id}
        return marks_in(rows)

    def insert(self, label: Label) -> Label:
        return self.labels.setdefault((label.user_id, label.event_key, label.label_id), label)

    def flagged(self, key: FlaggedKey) -> None:
        """None: no payment leaves this history before its flagged row."""

    def set_status(self, key: FlaggedKey, counting: Label | None) -> Flagged:
        if key not in self.statuses:
            return Flagged.MISSING
        if counting is not None or self.statuses[key] in ("confirmed_fraud", "false_positive"):
            self.statuses[key] = status_of(counting)
        return Flagged.SET

    def set_risk(self, label: Label, counting: Label | None, *, may_have_counted: bool) -> None:
        for key, is_wanted in risk_keys(label, counting).items():
            if counting is not None and is_wanted:
                self.risk[key] = counting.known_at
            elif may_have_counted:
                self.risk.pop(key, None)

    def wait(self, pending: PendingLabel) -> None:
        self.waiting.setdefault(pending.pending_id, pending)

    def finished(self, pending_id: str) -> None:
        self.waiting.pop(pending_id, None)

    def state(self) -> tuple[dict[str, str], set[tuple[str, str, str]], set[tuple[str, str]]]:
        """Statuses by event key, rows of entities, labels by event key and id."""
        return (
            {key.event_key: status for key, status in self.statuses.items()},
            {(*key, time_text(known)) for key, known in self.risk.items()},
            {(event_key, label_id) for _, event_key, label_id in self.labels},
        )

    def _of(self, user_id: str) -> list[Label]:
        return [label for (user, _, _), label in sorted(self.labels.items()) if user == user_id]


def marks_in(rows: Mapping[str, datetime]) -> EntityMarks:
    """What counts of an entity's labelled payments, given when the label of each became known, by sort key."""
    frauds = sorted(key for key in rows if key.startswith(FRAUD))[-MAX_FRAUDS:]
    honest = sorted(key for key in rows if not key.startswith(FRAUD))[-1:]
    return EntityMarks(
        tuple(_time(key) for key in frauds),
        _time(honest[0]) if honest else None,
        max((rows[key] for key in [*frauds, *honest]), default=None),
    )


def _time(key: str) -> datetime:
    return datetime.fromisoformat(key[_TIME]).astimezone(UTC)
