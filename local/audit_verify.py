"""Check the audit events of the console: ``python -m local.audit_verify``; of the stack that runs here, or of a table in AWS."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from contract.audit import AUDIT_TABLE
from contract.errors import InvalidRowError
from local.components.aws_api import make_client
from local.stack.state import DEFAULT_BUILD_DIR, StackError, require_stack
from ops.audit_verify import AuditTable, read_heads, write_heads

if TYPE_CHECKING:
    from collections.abc import Sequence

_UNREADABLE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was changed; 1 if anything was, 2 and a sentence on stderr if it cannot be said."""
    options = _parser().parse_args(arguments)
    try:
        client, table = _table(options)
        kept = read_heads(options.heads) if options.heads else []
        verified = AuditTable(client, table).verify(kept)
        if options.keep:
            write_heads(options.keep, verified.heads)
    except InvalidRowError as error:
        print(f"a row is no audit event: {error}")
        return 1
    except (StackError, BotoCoreError, ClientError, OSError, msgspec.MsgspecError) as error:
        print(error, file=sys.stderr)
        return _UNREADABLE
    print(f"{verified.events} events of {verified.days} days in {table}, {len(kept)} heads that were kept")
    for problem in verified.problems:
        print(problem)
    if verified.problems:
        return 1
    print("nothing was changed, dropped, inserted or moved")
    return 0


def _table(options: argparse.Namespace) -> tuple[Any, str]:
    if options.table:
        return boto3.client("dynamodb"), options.table
    state, resources = require_stack(options.build_dir)
    return make_client("dynamodb", state.aws_endpoint), resources.tables[AUDIT_TABLE]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.audit_verify", description=__doc__)
    parser.add_argument("--table", default="", help="a table in AWS, instead of the stack on this machine")
    parser.add_argument("--heads", type=Path, help="file of heads that were kept earlier")
    parser.add_argument("--keep", type=Path, help="file for the heads as they are now")
    parser.add_argument(
        "--build-dir", type=Path, default=DEFAULT_BUILD_DIR, help="of the stack on this machine"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
