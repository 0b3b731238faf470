"""Which functions of the stack only others invoke."""

from __future__ import annotations

from local.stack.parts import invoked_functions
from ops.manifests import read_functions


def test_the_console_brings_along_the_validator_and_stages_with_a_source_bring_nothing() -> None:
    specs = read_functions()

    assert invoked_functions(specs, ["console", "label"]) == ["rules_validator"]
    assert invoked_functions(specs, ["reconcile", "persist"]) == []
