"""A history of audit events with heads that were kept each hour, and a bucket that is a dictionary."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

import msgspec

from console.audit_trail import AuditTrail, Deed
from contract.audit import DAYS, GENESIS, chains_of, event_hash, heads_of
from contract.audit_heads import StoredHeads, after, heads_key, to_heads_object
from tests.support.audit_memory import MemoryAudit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract.audit import AuditEvent

EVENING = datetime(2026, 3, 1, 21, 5, tzinfo=UTC)
PEOPLE = 6


class MemoryHeads:
    """Objects by their key, in the order in which they were stored."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.stored: dict[str, datetime] = {}

    def before(self, at: datetime) -> Iterator[bytes]:
        """See :class:`audit_keeper.store.HeadsBucket`."""
        return (self.objects[key] for key in sorted(self.objects, reverse=True) if key < heads_key(at))

    def keep(self, at: datetime, body: bytes) -> bool:
        """See :class:`audit_keeper.store.HeadsBucket`."""
        self.stored.setdefault(heads_key(at), at)
        return self.objects.setdefault(heads_key(at), body) == body

    def versions(self) -> list[StoredHeads]:
        """What a verifier reads."""
        return [
            StoredHeads(key=key, body=self.objects[key], stored_at=self.stored[key])
            for key in sorted(self.objects)
        ]


def write_hour(rows: MemoryAudit, at: datetime, views: int = PEOPLE, subject: str = "case") -> None:
    """Each of some people does something."""
    ids = count()
    trail = AuditTrail(rows, lambda: at, lambda: f"{at.isoformat()} {next(ids)}")
    for number in range(views):
        trail.write(Deed(actor=f"person-{number}", action="case_viewed", subject=f"{subject}-{number}"))


def keep_heads(rows: MemoryAudit, bucket: MemoryHeads, at: datetime) -> None:
    """What the keeper does at the end of an hour."""
    body = next(bucket.before(at), None)
    heads = heads_of(rows.chain(DAYS), rows.last)
    bucket.keep(at, to_heads_object(after(body, heads, [], at)))


def six_hours() -> tuple[MemoryAudit, MemoryHeads, datetime]:
    """Events of six hours over midnight, the heads of each hour, and the time of the last ones."""
    rows, bucket, at = MemoryAudit(), MemoryHeads(), EVENING
    for hour in range(6):
        at = EVENING + timedelta(hours=hour)
        write_hour(rows, at - timedelta(minutes=20))
        keep_heads(rows, bucket, at)
    return rows, bucket, at


def relinked(rows: MemoryAudit, changed: AuditEvent) -> MemoryAudit:
    """Write the history anew, as somebody with every right on the table can: one event says something else, and all hashes fit again."""
    anew = MemoryAudit()
    before, ends = GENESIS, dict[str, str]()
    for opening in rows.chain(DAYS):
        closed = tuple(msgspec.structs.replace(head, head=ends[head.day_shard]) for head in opening.closed)
        opened = msgspec.structs.replace(opening, previous=before, closed=closed)
        anew.replace(opened)
        before = event_hash(opened)
        for chain in chains_of(opening.day):
            last = before
            for event in rows.chain(chain):
                is_changed = (event.day_shard, event.sequence) == (changed.day_shard, changed.sequence)
                placed = msgspec.structs.replace(changed if is_changed else event, previous=last)
                anew.replace(placed)
                last = event_hash(placed)
            ends[chain] = last
    return anew
