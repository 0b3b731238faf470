"""The table of audit events as a dictionary, and what a verifier reads of it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from contract.audit import DAYS, AuditEvent, AuditProblem, from_audit_item, problems, to_audit_item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from contract.audit import ChainHead
    from contract.items import Item


class MemoryAudit:
    """Rows by their key, in DynamoDB's wire form."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int], Item] = {}
        self.requests = 0
        """How often the newest events of a chain were read."""
        self.before_insert: Callable[[AuditEvent], None] = lambda _: None
        """Happens before each insertion: another process may be faster."""

    def insert(self, event: AuditEvent) -> bool:
        self.before_insert(event)
        key = event.day_shard, event.sequence
        if key in self.rows:
            return False
        self.rows[key] = to_audit_item(event)
        return True

    def at(self, day_shard: str, sequence: int) -> AuditEvent | None:
        item = self.rows.get((day_shard, sequence))
        return None if item is None else from_audit_item(item)

    def last(self, day_shard: str) -> AuditEvent | None:
        chain = self.chain(day_shard)
        return chain[-1] if chain else None

    def newest(self, day_shard: str, limit: int, before: int | None = None) -> list[AuditEvent]:
        self.requests += 1
        chain = self.chain(day_shard)[::-1]
        return [each for each in chain if before is None or each.sequence < before][:limit]

    def chain(self, day_shard: str) -> list[AuditEvent]:
        return [from_audit_item(self.rows[key]) for key in sorted(self.rows) if key[0] == day_shard]

    def replace(self, event: AuditEvent) -> None:
        """What no role may do."""
        self.rows[event.day_shard, event.sequence] = to_audit_item(event)

    def problems(self, kept: Iterable[ChainHead] = ()) -> list[AuditProblem]:
        counts = Counter(day_shard for day_shard, _ in self.rows)
        return list(problems(self.chain(DAYS), self.chain, counts, kept))
