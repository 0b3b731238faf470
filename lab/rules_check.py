"""Check ruleset files before they are deployed: ``python -m lab.rules_check FILE``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import InvalidRulesetError
from engine.rules.check import check_ruleset, summary, warnings
from lab.models import kept_model

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Check the named files.

    Parameters
    ----------
    arguments : Sequence[str]
        Their paths.

    Returns
    -------
    int
        The exit status: 0 if all are valid, 1 if one is refused, 2 if one cannot be read or none is named.
    """
    if not arguments:
        sys.stderr.write("Which file? The default rules are in rules/default.yaml\n")
        return 2
    status = 0
    for path in arguments:
        try:
            ruleset = check_ruleset(Path(path).read_bytes(), path, kept_model)
        except OSError as error:
            sys.stderr.write(f"{path}: {error.strerror}\n")
            status = 2
        except InvalidRulesetError as error:
            count = len(error.problems)
            sys.stderr.write(f"{error}\n{path}: refused, {count} problem{'s' if count > 1 else ''}\n")
            status = max(status, 1)
        else:
            sys.stderr.writelines(f"{warning}\n" for warning in warnings(ruleset, path))
            sys.stdout.write(f"{summary(ruleset, path)}\n")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
