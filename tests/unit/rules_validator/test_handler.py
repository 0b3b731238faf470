"""AppConfig's validator accepts and refuses what `make rules-check` does, and logs nothing of a list."""

from __future__ import annotations

import base64
import hashlib
import importlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from engine.errors import InvalidRulesetError
from ops.manifests import read_functions
from tests.support.model_samples import model_document
from tests.support.moto_aws import aws
from tests.support.rule_samples import HEAD, document

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

__all__ = ["aws"]

ROOT = Path(__file__).resolve().parents[3]
CONTEXT = SimpleNamespace(
    function_name="rules_validator", memory_limit_in_mb=512, invoked_function_arn="arn", aws_request_id="id"
)


@pytest.fixture
def validator(monkeypatch: pytest.MonkeyPatch, aws: Callable[[str], Any]) -> ModuleType:
    """The module at its cold start, with an empty rules bucket."""
    aws("s3").create_bucket(Bucket="rules")
    monkeypatch.setenv("RULES_BUCKET", "rules")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "rules_validator")
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "true")
    return importlib.reload(importlib.import_module("rules_validator.handler"))


def _event(document: bytes) -> dict[str, Any]:
    return {
        "applicationId": "a1b2c3d",
        "configurationProfileId": "e4f5a6b",
        "configurationVersion": "7",
        "content": base64.b64encode(document).decode(),
        "uri": "hosted",
    }


def test_the_function_holds_the_engine_and_no_stage() -> None:
    assert set(read_functions()["rules_validator"].packages) == {
        "contract",
        "common",
        "engine",
        "rules_validator",
    }


def test_the_default_ruleset_is_accepted(validator: ModuleType) -> None:
    document = (ROOT / "rules" / "default.yaml").read_bytes()

    assert validator.handler(_event(document), CONTEXT) is None


def test_a_bad_ruleset_is_refused_naming_version_and_place(validator: ModuleType) -> None:
    document = (ROOT / "rules" / "default.yaml").read_bytes() + b"\nnonsense: true\n"

    with pytest.raises(InvalidRulesetError, match=r"version 7.*nonsense"):
        validator.handler(_event(document), CONTEXT)


def test_a_refusal_holds_no_entry_of_a_list_because_lambda_logs_it(validator: ModuleType) -> None:
    document = (ROOT / "rules" / "default.yaml").read_bytes() + b"\n198.51.100.7: true\n"

    with pytest.raises(InvalidRulesetError, match="version 7") as refusal:
        validator.handler(_event(document), CONTEXT)

    assert "198.51.100.7" not in str(refusal.value)
    assert refusal.value.__suppress_context__


def test_a_document_that_is_not_base64_is_refused(validator: ModuleType) -> None:
    document = (ROOT / "rules" / "default.yaml").read_bytes()
    event = _event(document)
    event["content"] = "*" + event["content"]

    with pytest.raises(ValueError, match="base64"):
        validator.handler(event, CONTEXT)


def test_a_ruleset_with_a_model_from_the_bucket_is_accepted(
    validator: ModuleType, aws: Callable[[str], Any]
) -> None:
    model = model_document()
    sha256 = json.loads(model)["sha256"]
    aws("s3").put_object(Bucket="rules", Key=f"models/{sha256}", Body=model)

    assert (
        validator.handler(_event(document(head=f"{HEAD}model: {{sha256: {sha256}}}\n").encode()), CONTEXT)
        is None
    )


def test_a_ruleset_whose_model_is_not_in_the_bucket_is_refused(validator: ModuleType) -> None:
    text = document(head=f"{HEAD}model: {{sha256: {'a' * 64}}}\n")

    with pytest.raises(InvalidRulesetError, match="no model with the sha256 aaaaaaaaaaaa… is known here"):
        validator.handler(_event(text.encode()), CONTEXT)


def test_a_ruleset_whose_model_does_not_fit_is_refused_with_its_sentence(
    validator: ModuleType, aws: Callable[[str], Any]
) -> None:
    model = model_document(base_currency="EUR")
    sha256 = json.loads(model)["sha256"]
    aws("s3").put_object(Bucket="rules", Key=f"models/{sha256}", Body=model)

    with pytest.raises(InvalidRulesetError, match="was trained on amounts in EUR; this ruleset's are in USD"):
        validator.handler(_event(document(head=f"{HEAD}model: {{sha256: {sha256}}}\n").encode()), CONTEXT)


def test_a_draft_is_answered_and_made_from_the_ruleset_that_the_bucket_keeps(
    validator: ModuleType, aws: Callable[[str], Any]
) -> None:
    active = document().encode()
    digest = hashlib.sha256(active).hexdigest()[:12]
    aws("s3").put_object(Bucket="rules", Key=f"rulesets/{digest}", Body=active)
    draft = {"kind": "shadow", "digest_before": digest, "document": document(head=HEAD.replace('"1"', '"2"'))}

    answer = validator.handler({"draft": draft}, CONTEXT)

    assert (answer["version_after"], answer["candidate_version"], answer["candidate_share"]) == (
        "1",
        "2",
        0.0,
    )
    assert json.loads(json.dumps(answer)) == answer


def test_the_console_is_answered_and_nothing_of_its_document_is_logged(
    validator: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    text = document() + "\n198.51.100.7: true\n"

    found = validator.handler({"ask": "read", "document": text}, CONTEXT)

    assert found["problems"]
    assert "198.51.100.7" not in "".join(capsys.readouterr())
