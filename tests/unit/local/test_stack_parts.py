"""The local stack runs what is triggered, and what that invokes."""

from __future__ import annotations

from local.stack.parts import invoked_functions
from ops.manifests import read_functions


def test_functions_that_only_others_invoke_come_with_these() -> None:
    specs = read_functions()

    assert invoked_functions(specs, ["console"]) == ["replay", "rules_validator"]
    assert invoked_functions(specs, ["ruleset_deployer"]) == ["rules_validator"]
    assert invoked_functions(specs, ["score"]) == []
    # Their mappings run them already.
    assert invoked_functions(specs, ["reconcile"]) == []
