"""Each stage reads exactly the variables that its function.yaml declares."""

from __future__ import annotations

import importlib

import msgspec
import pytest

from ops.manifests import ROOT, read_functions

STAGES = sorted(
    path.parent.name for path in ROOT.glob("functions/*/settings.py") if path.parent.name != "common"
)


@pytest.mark.parametrize("stage", STAGES)
def test_settings_are_the_variables_that_the_function_declares(stage: str) -> None:
    settings = importlib.import_module(f"{stage}.settings").Settings
    declared = read_functions()[stage].environment

    assert {field.name.upper() for field in msgspec.structs.fields(settings)} == {
        variable for variable in declared if not variable.startswith("POWERTOOLS_")
    }


def test_only_a_stage_without_variables_has_no_settings() -> None:
    without = {
        stage
        for stage, spec in read_functions().items()
        if all(variable.startswith("POWERTOOLS_") for variable in spec.environment)
    }

    assert read_functions().keys() - set(STAGES) == without
