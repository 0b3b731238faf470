"""The ruleset that Terraform deploys first equals the repository's, although Terraform converts its YAML to JSON."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

from engine.rules.check import check_ruleset
from ops.manifests import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from engine.rules.ruleset import Ruleset

DOCUMENT = ROOT / "rules" / "default.yaml"


def _content(ruleset: Ruleset) -> tuple[Any, ...]:
    """All of a ruleset but its digest, which is of its text."""
    return (
        ruleset.version,
        ruleset.base_currency,
        ruleset.exchange.currencies,
        ruleset.exchange.per_minor_unit,
        ruleset.thresholds,
        ruleset.rules,
        sorted(ruleset.lists, key=lambda each: each.name),  # Terraform sorts keys
    )


def test_terraforms_json_of_the_default_ruleset_equals_its_yaml(tmp_path: Path) -> None:
    expression = f"jsonencode(yamldecode(file({json.dumps(str(DOCUMENT))})))"
    done = subprocess.run(
        ["terraform", "console"], input=expression, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    document: str = json.loads(done.stdout)  # the console prints a string as a literal

    ruleset = check_ruleset(document.encode(), "as JSON")

    assert _content(ruleset) == _content(check_ruleset(DOCUMENT.read_bytes(), "as YAML"))
