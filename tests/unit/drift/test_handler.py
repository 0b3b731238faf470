"""The Lambda as deployed: it reads function.yaml's environment, and says that there is nothing to judge before a ruleset was active."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.cold_start import cold_start, declare_environment, emitted
from tests.support.default_rules import DEFAULT
from tests.support.payments import Context
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable

EVENT = {"version": "0", "detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}
MODEL = "f18656b13e3888614359f7a97c740aca6308422b4554e281ca1d086eceef4e50"


@pytest.fixture
def module(aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """A cold start, with its tables and an empty bucket."""
    declare_environment("drift", monkeypatch)
    for table in ("rollout_counts", "ruleset_changes", "labels", "transaction_history"):
        make_table(aws("dynamodb"), table)
    loaded = cold_start("drift", monkeypatch)
    aws("s3").create_bucket(Bucket=loaded.settings.rules_bucket)
    return loaded


def test_before_a_ruleset_was_active_there_is_nothing_to_judge(module: Any) -> None:
    assert module.handler({"report": True}, Context()) == "No ruleset was active yet."


def test_a_model_is_compared_with_the_training_window_that_the_bucket_has(
    module: Any, aws: Callable[[str], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    bucket, model = module.settings.rules_bucket, Path("models/default.json").read_bytes()
    aws("s3").put_object(Bucket=bucket, Key=f"models/{MODEL}", Body=model)
    baseline = {"model": MODEL, "payments": 9.0, "features": {"amount_base": [0.5, 0.5]}, "scores": [1.0]}
    aws("s3").put_object(Bucket=bucket, Key=f"models/{MODEL}.baseline", Body=json.dumps(baseline).encode())
    document = f"{DEFAULT}\nmodel: {json.dumps({'sha256': MODEL})}\n"
    aws("s3").put_object(Bucket=bucket, Key="rulesets/last-good", Body=document.encode())

    text = module.handler(EVENT, Context())

    assert text.startswith(f"Model {MODEL[:12]} of ruleset ")
    assert "Nothing is compared with the training window before 1,000 payments are counted." in text
    assert text.endswith("No label was found.")
    assert emitted(capsys)["PaymentsCounted"] == [0.0]
