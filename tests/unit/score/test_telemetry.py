"""What the stage says of a ruleset that it refuses."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest
from aws_lambda_powertools import Logger, Metrics

from engine.errors import InvalidRulesetError
from engine.rules.ruleset import parse_ruleset
from score.telemetry import EmfTelemetry
from tests.support.rule_samples import document


def test_the_log_of_a_refused_ruleset_has_every_problem_and_its_place_and_nothing_of_the_document() -> None:
    entries = "\n    - value: tok_secret\n    - value: tok_secret"
    with pytest.raises(InvalidRulesetError) as refusal:
        parse_ruleset(
            document(f"lists:\n  denied:\n    field: card_id\n    entries:{entries}\nrules: []"), "mine"
        )
    log = io.StringIO()
    logger = Logger(
        service="refused-rulesets", stream=log
    )  # a name of its own: loggers are shared, and keep their streams
    telemetry = EmfTelemetry(Metrics(namespace="test"), logger, lambda: datetime(2026, 1, 1, tzinfo=UTC))

    telemetry.ruleset_refused(refusal.value)

    logged = json.loads(log.getvalue())
    assert len(logged["problems"]) == 1
    assert logged["problems"][0].startswith("mine:")
    assert logged["problems"][0].endswith("value appears twice in list 'denied'")
    assert "tok_secret" in str(refusal.value)
    assert "tok_secret" not in json.dumps(logged)
