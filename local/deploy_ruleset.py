"""Propose a ruleset to the stack that runs, approve it, and have it deployed: ``python -m local.deploy_ruleset FILE``.

It goes the way of every change, through the table and the function that deploys. Only that nobody else is on this machine: the target itself is the other
person.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from contract.ruleset_draft import Draft
from local.components.aws_api import make_client
from local.event_sources.config import MappingConfigError, read_config
from local.redrive import LocalFunction
from local.stack.parts import RULES_VALIDATOR, RULESET_DEPLOYER
from local.stack.state import DEFAULT_BUILD_DIR, StackError, StackFolder, require_stack
from ops import rollout, rules
from ops.errors import OpsError

if TYPE_CHECKING:
    from collections.abc import Sequence

APPROVER: Final = "local/make rules-local"
"""In ``decided_by``."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Make a file the active ruleset or its candidate; 1 if no stack is up, or the file is refused."""
    parser = argparse.ArgumentParser(prog="python -m local.deploy_ruleset", description=__doc__)
    parser.add_argument("file", type=Path, help="the YAML document")
    parser.add_argument("--build-dir", type=Path, default=DEFAULT_BUILD_DIR)
    rollout.add_options(parser)
    options = parser.parse_args(arguments)
    try:
        change_id = change(options.build_dir, options.file, options.share, options.reason)
    except (StackError, OpsError, MappingConfigError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{options.file} is deployed as {change_id}; functions take it at their next poll, or refuse it")
    return 0


def change(build_dir: Path, file: Path, share_percent: float | None, reason: str) -> str:
    """Propose, approve and deploy a file; give the change's id.

    Raises
    ------
    StackError, MappingConfigError
        If no stack is up, or it is one without these functions.
    OpsError
        If the file is refused, or its deployment failed.
    """
    state, resources = require_stack(build_dir)
    folder = StackFolder(build_dir).run_dir
    document = file.read_bytes()
    s3, dynamodb = make_client("s3", state.aws_endpoint), make_client("dynamodb", state.aws_endpoint)
    where = rules.Place(resources.tables[rules.TABLE], resources.buckets["rules"], RULES_VALIDATOR)
    desk = rules.make_desk(dynamodb, s3, where)
    rollout.put_models(s3, where.bucket, document)
    wanted = Draft(
        kind=rules.kind_of(share_percent),
        digest_before=None,
        document=document.decode("utf-8-sig"),
        share=share_percent,
    )
    with LocalFunction(read_config(folder / f"{RULES_VALIDATOR}.json")) as validator:
        proposed = rules.propose(
            desk,
            validator,
            where.validator,
            wanted,
            by=rollout.who_is_here(),
            reason=reason,
            now=datetime.now(UTC),
        )
    rules.reveal(desk, proposed.change_id, APPROVER)
    rules.decide(desk, "approve", proposed.change_id, APPROVER, None, datetime.now(UTC))
    with LocalFunction(read_config(folder / f"{RULESET_DEPLOYER}.json")) as deployer:
        # Its schedule would do the same within a minute.
        deployer.invoke(FunctionName=RULESET_DEPLOYER, Payload=b"{}")
    return rules.follow(desk, proposed.change_id, lambda _: None).change_id


if __name__ == "__main__":
    sys.exit(main())
