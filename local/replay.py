"""Make stored decisions again from their rows: ``make replay USER=``, or ``FROM= TO=``."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from functools import cache, partial
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from common.errors import StageError
from common.model_archive import ModelArchive
from common.ruleset_bucket import ChangedDocumentError, MissingDocumentError, kept_ruleset
from contract.scored import HISTORY_TABLE, from_history_item
from engine.replay import UnknownRulesetError
from engine.rules.check import check_ruleset
from lab.models import MODELS
from lab.replay import Replay, UserReplay, replay_text
from local.components.aws_api import make_client
from local.stack.state import DEFAULT_BUILD_DIR, StackError, require_stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from contract.scored import ScoredTransaction
    from engine.rules.ruleset import Ruleset

MAX_ROWS: Final = 100_000
"""Rows that one replay makes again, unless it is asked for another number."""


class Site(NamedTuple):
    """Where rows and rulesets are: in AWS, or in the stack on this machine."""

    dynamodb: Any
    s3: Any
    table: str
    bucket: str


def ruleset_of(site: Site, digest: str) -> Ruleset:
    """Read a ruleset of the rules bucket, and its models of this tree or of the bucket.

    Raises
    ------
    UnknownRulesetError
        Where the bucket has none of this digest, or something else in its place.
    InvalidRulesetError
        Where this version refuses it.
    ClientError, BotoCoreError, ModelUnreachableError
        Where the bucket did not answer.
    """
    try:
        data = kept_ruleset(site.s3, site.bucket, digest)
    except MissingDocumentError as error:
        raise UnknownRulesetError(f"the rules bucket has no ruleset {digest}") from error
    except ChangedDocumentError as error:
        raise UnknownRulesetError(str(error)) from error
    return check_ruleset(data, digest, ModelArchive(site.s3, site.bucket, MODELS).get)


def rows_of_user(site: Site, user_id: str) -> list[ScoredTransaction]:
    """Read all rows of a user, in the order in which they were decided."""
    pages = site.dynamodb.get_paginator("query").paginate(
        TableName=site.table,
        KeyConditionExpression="user_id = :user",
        ExpressionAttributeValues={":user": {"S": user_id}},
    )
    rows = [from_history_item(item) for page in pages for item in page["Items"]]
    return sorted(rows, key=attrgetter("position"))


def rows_between(site: Site, since: datetime, until: datetime) -> Iterator[ScoredTransaction]:
    """Read the rows that were decided in a time. The whole table is read for it: in AWS that costs half a read unit per 4 KiB."""
    bounds = {
        name: {"N": str(int(at.timestamp() * 1000))} for name, at in ((":since", since), (":until", until))
    }
    pages = site.dynamodb.get_paginator("scan").paginate(
        TableName=site.table,
        FilterExpression="scored_at_ms BETWEEN :since AND :until",
        ExpressionAttributeValues=bounds,
    )
    for page in pages:
        yield from map(from_history_item, page["Items"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Make decisions again; 1 if one differs or cannot be made, or if there is nothing to read from."""
    options = _parser().parse_args(arguments)
    if not options.user and options.since is None:
        print("Name a user with USER=, or a time with FROM= and TO=.", file=sys.stderr)
        return 1
    try:
        site = _site(options)
        document_of = cache(partial(ruleset_of, site))
        replay, whole = Replay(document_of), None
        if options.user:
            rows = rows_of_user(site, options.user)
            for row in rows:
                replay.take(row)
            whole = _from_the_first(rows, document_of)
        else:
            until = options.until or datetime.now(UTC)
            for row in islice(rows_between(site, options.since, until), options.max_rows):
                replay.take(row)
    except (StackError, StageError, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 1
    print(replay_text(replay))
    if whole is not None:
        print(f"\nWith the features of the user computed from the rows before:\n{replay_text(whole)}")
    found = [each for each in (replay, whole) if each is not None]
    return 1 if any(each.differing or each.unknown for each in found) else 0


def _from_the_first(
    rows: Sequence[ScoredTransaction], document_of: Callable[[str], Ruleset]
) -> Replay | None:
    """Make a user's decisions again with features computed anew; None where the table has not the user's first row any more."""
    if not rows or rows[0].profile_version:
        return None
    whole = Replay(document_of)
    user = UserReplay(whole)
    for row in rows:
        user.take(row)
    return whole


def _site(options: argparse.Namespace) -> Site:
    if options.table:
        return Site(boto3.client("dynamodb"), boto3.client("s3"), options.table, options.bucket)
    state, resources = require_stack(options.build_dir)
    return Site(
        make_client("dynamodb", state.aws_endpoint),
        make_client("s3", state.aws_endpoint),
        resources.tables[HISTORY_TABLE],
        resources.buckets["rules"],
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.replay", description=__doc__)
    parser.add_argument("--user", default="", help="all rows of this user")
    parser.add_argument("--from", dest="since", type=_time, help="rows decided since this time")
    parser.add_argument("--to", dest="until", type=_time, help="and until this one; now by default")
    parser.add_argument("--max-rows", type=int, default=MAX_ROWS, help="at most so many rows of a time")
    parser.add_argument("--table", default="", help="a table in AWS, instead of the stack on this machine")
    parser.add_argument("--bucket", default="", help="the rules bucket in AWS")
    parser.add_argument(
        "--build-dir", type=Path, default=DEFAULT_BUILD_DIR, help="of the stack on this machine"
    )
    return parser


def _time(text: str) -> datetime:
    """A time of ISO 8601; UTC where it names no zone."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


if __name__ == "__main__":
    sys.exit(main())
