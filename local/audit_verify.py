"""Check the audit events of the console: ``python -m local.audit_verify``; of the stack that runs here, or of a table in AWS.

The heads of the chains that were kept in the bucket with Object Lock show what the table alone cannot: a dropped tail of the last day, and a
history that somebody with every right on the table has written anew.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from contract.audit import AUDIT_TABLE
from contract.audit_heads import from_heads_object, gaps, kept_times, object_problems
from local.components.aws_api import make_client
from local.stack.state import DEFAULT_BUILD_DIR, StackError, require_stack
from ops.audit_verify import AuditTable, read_heads, write_heads
from ops.kept_heads import HeadsBucket

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contract.audit import AuditProblem
    from ops.kept_heads import KeptObjects

_UNREADABLE = 2


class Place(NamedTuple):
    """Where events and kept heads are."""

    dynamodb: Any
    s3: Any
    table: str
    bucket: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was changed; 1 if anything was, 2 and a sentence on stderr if it cannot be said."""
    options = _parser().parse_args(arguments)
    try:
        place = _place(options)
        # The bucket first: heads that are kept while the table is read are not asked for.
        now = datetime.now(UTC)
        bucket = HeadsBucket(place.s3, place.bucket)
        kept, lock = bucket.read(), bucket.lock()
        objects = [found for each in kept.stored if (found := from_heads_object(each.body)) is not None]
        of_bucket = dict.fromkeys(head for each in objects for head in each.heads)
        heads = [*of_bucket, *(read_heads(options.heads) if options.heads else [])]
        verified = AuditTable(place.dynamodb, place.table).verify(heads, kept_times(objects))
        if options.keep:
            write_heads(options.keep, verified.heads)
    except (StackError, BotoCoreError, ClientError, OSError, msgspec.MsgspecError) as error:
        print(error, file=sys.stderr)
        return _UNREADABLE
    print(f"{verified.events} events of {verified.days} days in {place.table}")
    print(
        f"{len(kept.stored)} objects in {place.bucket} ({lock or 'no Object Lock'}), {len(heads)} heads that were kept"
    )
    for gap in gaps(kept.stored):
        print(gap)
    return _verdict([*verified.problems, *_of_bucket(kept, lock, now, verified.days)])


def _verdict(problems: Sequence[AuditProblem | str]) -> int:
    for problem in problems:
        print(problem)
    if problems:
        return 1
    print("nothing was changed, dropped, inserted or moved")
    return 0


def _of_bucket(kept: KeptObjects, lock: str, now: datetime, days: int) -> list[AuditProblem | str]:
    found: list[AuditProblem | str] = list(object_problems(kept.stored, kept.deleted, now))
    if not lock:
        found.append("the bucket has no Object Lock: whoever may write to it can replace what was kept")
    if days and not kept.stored:
        found.append(
            "no heads were ever kept, or all were dropped: of the last day, a dropped tail shows nowhere"
        )
    return found


def _place(options: argparse.Namespace) -> Place:
    if bool(options.table) != bool(options.bucket):
        raise StackError(
            "TABLE= and BUCKET= are given together: the table of events, and the bucket of the heads that were kept"
        )
    if options.table:
        return Place(boto3.client("dynamodb"), boto3.client("s3"), options.table, options.bucket)
    state, resources = require_stack(options.build_dir)
    dynamodb, s3 = (make_client(service, state.aws_endpoint) for service in ("dynamodb", "s3"))
    return Place(dynamodb, s3, resources.tables[AUDIT_TABLE], resources.buckets["audit_heads"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.audit_verify", description=__doc__)
    parser.add_argument("--table", default="", help="a table in AWS, instead of the stack on this machine")
    parser.add_argument("--bucket", default="", help="the bucket of audit heads in AWS")
    parser.add_argument("--heads", type=Path, help="file of heads that were kept elsewhere")
    parser.add_argument("--keep", type=Path, help="file for the heads as they are now")
    parser.add_argument(
        "--build-dir", type=Path, default=DEFAULT_BUILD_DIR, help="of the stack on this machine"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
