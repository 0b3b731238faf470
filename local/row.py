"""Print a user's newest history rows, by the names of their features: ``python -m local.row --user USER``."""

from __future__ import annotations

import argparse
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from contract.scored import HISTORY_TABLE, from_history_item
from lab.row_text import row_text
from local.components.aws_api import make_client
from local.stack.state import DEFAULT_BUILD_DIR, StackError, require_stack

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


from contract.scored import ScoredTransaction


def newest_rows(dynamodb: Any, table: str, user_id: str) -> Iterator[ScoredTransaction]:
    """Read a user's rows, those with the latest keys first."""
    pages = dynamodb.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="user_id = :user",
        ExpressionAttributeValues={":user": {"S": user_id}},
        ScanIndexForward=False,
    )
    for page in pages:
        yield from map(from_history_item, page["Items"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the rows; 1 and a sentence on stderr if there is none, or nothing to read from."""
    options = _parser().parse_args(arguments)
    if not options.user:
        print("USER= is missing: the id of the user whose rows to print.", file=sys.stderr)
        return 1
    try:
        dynamodb, table = _history(options)
    except (StackError, BotoCoreError) as error:  # no region, say
        print(error, file=sys.stderr)
        return 1
    try:
        rows = list(
            islice(_matching(newest_rows(dynamodb, table, options.user), options.transaction), options.limit)
        )
    except (BotoCoreError, ClientError) as error:
        print(f"{table} cannot be read: {error}", file=sys.stderr)
        return 1
    if not rows:
        of = f" with transaction {options.transaction}" if options.transaction else ""
        print(f"user {options.user} has no row{of} in {table}", file=sys.stderr)
        return 1
    print("\n\n".join(map(row_text, rows)))
    return 0


def _matching(rows: Iterable[ScoredTransaction], transaction_id: str) -> Iterator[ScoredTransaction]:
    return (row for row in rows if not transaction_id or row.transaction.transaction_id == transaction_id)


def _history(options: argparse.Namespace) -> tuple[Any, str]:
    """Client and table: in AWS, where a table is named, or else of the stack that runs here."""
    if options.table:
        return boto3.client("dynamodb"), options.table
    state, resources = require_stack(options.build_dir)
    return make_client("dynamodb", state.aws_endpoint), resources.tables[HISTORY_TABLE]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.row", description=__doc__)
    parser.add_argument("--user", default="", help="the user's id")
    parser.add_argument("--transaction", default="", help="only this transaction")
    parser.add_argument("--limit", type=int, default=1, help="how many rows at the most")
    parser.add_argument("--table", default="", help="a table in AWS, instead of the stack on this machine")
    parser.add_argument(
        "--build-dir", type=Path, default=DEFAULT_BUILD_DIR, help="of the stack on this machine"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
