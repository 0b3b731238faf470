"""Reads the chains of audit events, and finds what was changed in them: `make audit-verify`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from contract.audit import (
    DAYS,
    AuditEvent,
    AuditProblem,
    ChainHead,
    from_audit_item,
    heads_of,
    problems,
    to_audit_item,
)
from contract.audit_heads import misdated
from contract.errors import InvalidRowError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path


class Verified(msgspec.Struct, frozen=True):
    """What was found."""

    days: int
    events: int
    """In the whole table, with openings and closings of days."""
    problems: tuple[AuditProblem, ...]
    heads: tuple[ChainHead, ...]
    """As they are now, to be kept where nobody can change them."""


class AuditTable:
    """The table in an environment.

    Parameters
    ----------
    client
        A boto3 DynamoDB client.
    name : str
        The table's name in this environment.
    """

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name
        self._of_rows: list[AuditProblem] = []
        self._times: Mapping[str, Sequence[tuple[int, datetime]]] = {}

    def verify(
        self,
        kept: Sequence[ChainHead] = (),
        times: Mapping[str, Sequence[tuple[int, datetime]]] | None = None,
    ) -> Verified:
        """Check all chains, and that each head that was kept is in its chain.

        Parameters
        ----------
        kept : Sequence[ChainHead]
            Heads of any time.
        times : Mapping | None
            When each chain had how many events; see :func:`contract.audit_heads.kept_times`.

        Raises
        ------
        ClientError, BotoCoreError
            When the table cannot be read.
        """
        self._of_rows = []
        self._times = times or {}
        # In this order: whoever writes meanwhile has opened a day before its events are counted.
        counts = self._counts()
        openings = list(self._events(DAYS))
        found = tuple(problems(openings, self._events, counts, kept))
        of_rows = tuple(self._of_rows)  # before the last rows are read once more
        heads = tuple(heads_of(openings, self._last))
        return Verified(len(openings), sum(counts.values()), (*of_rows, *found), heads)

    def _counts(self) -> Counter[str]:
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._name, ProjectionExpression="day_shard", ConsistentRead=True
        )
        return Counter(item["day_shard"]["S"] for page in pages for item in page["Items"])

    def _events(self, day_shard: str) -> Iterator[AuditEvent]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._name,
            KeyConditionExpression="day_shard = :partition",
            ExpressionAttributeValues={":partition": {"S": day_shard}},
            ConsistentRead=True,
        )
        for page in pages:
            for item in page["Items"]:
                event = self._event(item)
                if event is not None:
                    yield event

    def _event(self, item: dict[str, Any]) -> AuditEvent | None:
        """Read a row, every attribute of it: what no event has, or writes so, was written by somebody else."""
        place = f"{item['day_shard']['S']} {item['sequence']['N']}"
        try:
            event = from_audit_item(item)
            written = to_audit_item(event)
        except (
            InvalidRowError,
            OverflowError,
        ) as error:  # the year 9999 west of Greenwich ends after it does in UTC
            self._of_rows.append(AuditProblem(place, None, f"no audit event: {error}"))
            return None
        if other := sorted(
            name for name in item.keys() | written.keys() if item.get(name) != written.get(name)
        ):
            self._of_rows.append(
                AuditProblem(place, None, f"attributes that no event has so: {', '.join(other)}")
            )
        if wrong := misdated(event, self._times.get(event.day_shard, ())):
            self._of_rows.append(wrong)
        return event

    def _last(self, day_shard: str) -> AuditEvent | None:
        answer = self._client.query(
            TableName=self._name,
            KeyConditionExpression="day_shard = :partition",
            ExpressionAttributeValues={":partition": {"S": day_shard}},
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=1,
        )
        return self._event(answer["Items"][0]) if answer["Items"] else None


def read_heads(file: Path) -> list[ChainHead]:
    """Read heads that were kept; OSError, msgspec.MsgspecError."""
    return msgspec.json.decode(file.read_bytes(), type=list[ChainHead])


def write_heads(file: Path, heads: Sequence[ChainHead]) -> None:
    """Write heads to keep; OSError."""
    file.write_bytes(msgspec.json.format(msgspec.json.encode(heads)) + b"\n")
