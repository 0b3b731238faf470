"""Check a ruleset document before it goes anywhere: ``python -m score.rules_check FILE``.

The check itself, :func:`check_ruleset`, prints nothing: AppConfig's validator runs the same one.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from score.errors import InvalidRulesetError
from score.rule_document import decode_document
from score.ruleset import Ruleset, parse_ruleset

if TYPE_CHECKING:
    from collections.abc import Sequence


def check_ruleset(data: bytes, source: str) -> Ruleset:
    """Read a stored document.

    Parameters
    ----------
    data : bytes
        The document as stored: YAML or JSON, in UTF-8.
    source : str
        What it is called in messages.

    Returns
    -------
    Ruleset
        What it says.

    Raises
    ------
    InvalidRulesetError
        With everything that is wrong with it; its text is made to be shown.
    """
    return parse_ruleset(decode_document(data, source), source)


def summary(ruleset: Ruleset, source: str) -> str:
    """Say in a line what a ruleset holds.

    Parameters
    ----------
    ruleset : Ruleset
        A checked one.
    source : str
        What the document is called.

    Returns
    -------
    str
        For people.
    """
    shadow = sum(rule.mode == "shadow" for rule in ruleset.rules)
    return (
        f"{source}: version {ruleset.version} ({ruleset.digest}), {len(ruleset.rules)} rules "
        f"({len(ruleset.rules) - shadow} live, {shadow} shadow), {len(ruleset.lists)} lists, "
        f"{len(ruleset.exchange.currencies)} currencies to {ruleset.base_currency}, "
        f"review from {ruleset.thresholds.review}, block from {ruleset.thresholds.block}"
    )


def main(arguments: Sequence[str]) -> int:
    """Check the files that are named; 0 where all are good, 1 where one is refused, 2 where one cannot be read."""
    if not arguments:
        sys.stderr.write("Which file? For the default rules: rules/default.yaml\n")
        return 2
    status = 0
    for path in arguments:
        try:
            ruleset = check_ruleset(Path(path).read_bytes(), path)
        except OSError as error:
            sys.stderr.write(f"{path}: {error.strerror}\n")
            status = 2
        except InvalidRulesetError as error:
            count = len(error.problems)
            sys.stderr.write(f"{error}\n{path}: refused, {count} problem{'s' if count > 1 else ''}\n")
            status = max(status, 1)
        else:
            sys.stdout.write(f"{summary(ruleset, path)}\n")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
