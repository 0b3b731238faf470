"""AppConfig's validator says what `make rules-check` says."""

from __future__ import annotations

import base64
import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from engine.errors import InvalidRulesetError

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).resolve().parents[3]
CONTEXT = SimpleNamespace(
    function_name="rules_validator", memory_limit_in_mb=512, invoked_function_arn="arn", aws_request_id="id"
)


@pytest.fixture
def validator(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module at its cold start."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "rules_validator")
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "true")
    return importlib.import_module("rules_validator.handler")


def _event(document: bytes) -> dict[str, Any]:
    return {
        "applicationId": "a1b2c3d",
        "configurationProfileId": "e4f5a6b",
        "configurationVersion": "7",
        "content": base64.b64encode(document).decode(),
        "uri": "hosted",
    }


def test_the_default_ruleset_is_taken(validator: ModuleType) -> None:
    document = (ROOT / "rules" / "default.yaml").read_bytes()

    assert validator.handler(_event(document), CONTEXT) is None


def test_a_bad_ruleset_is_refused_naming_version_and_place(validator: ModuleType) -> None:
    document = (ROOT / "rules" / "default.yaml").read_bytes() + b"\nnonsense: true\n"

    with pytest.raises(InvalidRulesetError, match=r"version 7.*nonsense"):
        validator.handler(_event(document), CONTEXT)


def test_a_refusal_which_lambda_logs_says_nothing_of_what_is_on_a_list(validator: ModuleType) -> None:
    document = (ROOT / "rules" / "default.yaml").read_bytes() + b"\n198.51.100.7: true\n"

    with pytest.raises(InvalidRulesetError, match="version 7") as refusal:
        validator.handler(_event(document), CONTEXT)

    assert "198.51.100.7" not in str(refusal.value)
    assert refusal.value.__suppress_context__
