"""Print audit events of the console: ``python -m local.audit_find --by user --value USER``; of the stack that runs here, or of a table in AWS.

An event has a hash in place of a personal value that somebody searched for, so whoever knows the value finds who asked for it.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from contract.audit import AUDIT_TABLE, DAYS, SYSTEM, chains_of, from_audit_item
from contract.audit_values import is_about
from contract.errors import InvalidRowError
from local.components.aws_api import make_client
from local.stack.state import DEFAULT_BUILD_DIR, StackError, require_stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from contract.audit import AuditEvent

_UNREADABLE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the events, oldest first; 1 where there is none, 2 and a sentence on stderr if they cannot be read."""
    options = _parser().parse_args(arguments)
    try:
        if bool(options.by) != bool(options.value):
            raise StackError(
                "BY= and VALUE= are given together: what was asked for, and by which of its fields"
            )
        client, table = _table(options)
        events = sorted(_events(client, table, options.day), key=lambda event: (event.at, event.sequence))
    except (StackError, InvalidRowError, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return _UNREADABLE
    found = [event for event in events if is_asked_for(event, options.person, options.by, options.value)]
    for event in found:
        print(event_line(event))
    print(f"{len(found)} events", file=sys.stderr)
    return 0 if found else 1


def is_asked_for(event: AuditEvent, person: str, by: str, value: str) -> bool:
    """Whether an event is a person's, and about a value; an empty text matches anybody or anything."""
    if event.actor == SYSTEM or (person and event.actor != person):
        return False
    return not value or is_about(event, by, value)


def event_line(event: AuditEvent) -> str:
    """One line: when, who, what, whether it was allowed, on what, and what else the form said."""
    details = [f"{name}={value}" for name, value in event.details.items()]
    at = event.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    return " ".join([at, event.actor, event.action, event.outcome, event.subject or "-", *details])


def _events(client: Any, table: str, day: str) -> Iterator[AuditEvent]:
    if not day:
        for page in client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            yield from (from_audit_item(item) for item in page["Items"] if item["day_shard"]["S"] != DAYS)
        return
    for chain in chains_of(day):
        pages = client.get_paginator("query").paginate(
            TableName=table,
            KeyConditionExpression="day_shard = :partition",
            ExpressionAttributeValues={":partition": {"S": chain}},
            ConsistentRead=True,
        )
        for page in pages:
            yield from map(from_audit_item, page["Items"])


def _table(options: argparse.Namespace) -> tuple[Any, str]:
    if options.table:
        return boto3.client("dynamodb"), options.table
    state, resources = require_stack(options.build_dir)
    return make_client("dynamodb", state.aws_endpoint), resources.tables[AUDIT_TABLE]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.audit_find", description=__doc__)
    parser.add_argument("--day", default="", help="YYYY-MM-DD, UTC; without it the whole table is read")
    parser.add_argument(
        "--person", default="", help="who did it: the id that the identity provider gives a person"
    )
    parser.add_argument(
        "--by",
        default="",
        help="what was searched by: user, transaction, card_id, device_id, ip_address, merchant_id, payee_id; id: of a case, a payment, an alert, a change",
    )
    parser.add_argument("--value", default="", help="what was searched for")
    parser.add_argument("--table", default="", help="a table in AWS, instead of the stack on this machine")
    parser.add_argument(
        "--build-dir", type=Path, default=DEFAULT_BUILD_DIR, help="of the stack on this machine"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
