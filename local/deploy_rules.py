"""Put a ruleset into force on the running stack: ``python -m local.deploy_rules FILE``. Functions take it up by themselves."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from local.rulesets import RulesetDeploymentError, Rulesets
from local.stack import read_state
from local.stack.state import DEFAULT_BUILD_DIR
from score.errors import InvalidRulesetError
from score.rules_check import check_ruleset

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: "Sequence[str] | None" = None) -> int:
    """Check a ruleset as AppConfig's validator would, then deploy it; 1 where it is refused or no stack is up."""
    parser = argparse.ArgumentParser(prog="python -m local.deploy_rules", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--build-dir", type=Path, default=DEFAULT_BUILD_DIR)
    options = parser.parse_args(arguments)
    state = read_state(options.build_dir)
    if state is None or state.resources is None:
        print(f"no stack is up in {options.build_dir}; `make up` starts one", file=sys.stderr)
        return 1
    try:
        document = options.file.read_bytes()
        ruleset = check_ruleset(document, str(options.file))
        number = Rulesets(state.aws_endpoint, state.resources.rules).deploy(document.decode())
    except (InvalidRulesetError, RulesetDeploymentError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"ruleset {ruleset.version} is deployed as version {number}; in force within a minute")
    return 0


if __name__ == "__main__":
    sys.exit(main())
