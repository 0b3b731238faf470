"""The models that a ruleset names are put into the bucket, and a share is a percentage up to half."""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

import lab.models
from ops import rollout
from ops.errors import OpsError
from tests.support.two_models import rules_naming, two_models


def test_the_models_that_the_tree_has_are_put_into_the_bucket_with_their_training_windows() -> None:
    model = Path("models/default.json").read_bytes()
    sha256 = json.loads(model)["sha256"]
    put: dict[str, bytes] = {}

    class Bucket:
        def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803 - S3's names
            put[f"{Bucket}/{Key}"] = Body

    document = {"model": {"sha256": sha256}, "candidate": {"model": {"sha256": "0" * 64}}}

    assert rollout.put_models(Bucket(), "rules", json.dumps(document).encode()) == [sha256]
    baseline = Path("models/default.baseline").read_bytes()
    assert put == {f"rules/models/{sha256}": model, f"rules/models/{sha256}.baseline": baseline}


def test_a_model_without_a_baseline_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Bucket:
        def put_object(self, **_: Any) -> None:
            pass

    models, said = two_models(tmp_path / "models"), list[str]()
    monkeypatch.setattr(lab.models, "MODELS", tmp_path / "models")

    rollout.put_models(Bucket(), "rules", rules_naming(*models).encode(), said.append)

    assert said == [
        f"model {sha256[:12]} has no baseline in models/: without one its drift is not measured"
        for sha256 in models
    ]


def test_the_report_is_the_functions_text_and_its_failure_an_error() -> None:
    class Function:
        def __init__(self, answer: dict[str, Any]) -> None:
            self.answer = answer

        def invoke(self, **sent: Any) -> dict[str, Any]:
            assert msgspec.json.decode(sent["Payload"]) == {"report": True}
            return self.answer

    good = Function({"Payload": io.BytesIO(b'"two\\nlines"')})
    bad = Function({"Payload": io.BytesIO(b"why"), "FunctionError": "Unhandled"})

    assert rollout.report_of(good, "f:live") == ("two\nlines", None)
    with pytest.raises(OpsError, match="f:live failed: why"):
        rollout.report_of(bad, "f:live")


@pytest.mark.parametrize(("text", "share"), [("0", 0.0), ("12.5", 12.5), ("50", 50.0)])
def test_a_share_is_a_percentage_up_to_half(text: str, share: float) -> None:
    parser = argparse.ArgumentParser()
    rollout.add_options(parser)

    assert parser.parse_args(["--share", text]).share == share
    with pytest.raises(SystemExit):
        parser.parse_args(["--share", "51"])
