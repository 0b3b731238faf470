"""Lambda's entry to the guardrails: settings, adapters, stage, handler."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import msgspec
from aws_lambda_powertools import Logger, Metrics, Tracer

from common.dynamodb import CLIENT_CONFIG
from common.metrics import emit
from common.model_archive import ModelArchive
from common.ruleset_bucket import keep_ruleset
from common.ruleset_changes import MadeChanges
from common.settings import read_settings
from common.unreadable_rows import UnreadableRows
from guardrails.metrics import Metric
from guardrails.settings import Settings
from guardrails.stage import Guardrails
from rollouts.deployments import Deployments
from rollouts.tables import CountsTable

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

SHIPPED_MODELS = Path(__file__).resolve().parent.parent / "models"
"""Beside the function's folder in the zip."""

logger = Logger()
metrics = Metrics()
tracer = Tracer()  # disabled outside Lambda, and where POWERTOOLS_TRACE_DISABLED is true

settings = read_settings(Settings, os.environ)  # a missing variable fails the cold start, not the first run
s3 = boto3.client("s3", config=CLIENT_CONFIG)
dynamodb = boto3.client("dynamodb", config=CLIENT_CONFIG)
stage = Guardrails(
    Deployments(
        boto3.client("appconfig", config=CLIENT_CONFIG),
        settings.rules_application,
        settings.rules_environment,
        settings.rules_strategy,
    ),
    CountsTable(
        dynamodb,
        settings.rollout_counts_table,
        UnreadableRows(logger, partial(emit, metrics, Metric.ROWS_UNREADABLE)),
    ),
    MadeChanges(
        dynamodb,
        settings.ruleset_changes_table,
        logger,
        partial(emit, metrics, Metric.CHANGES_UNREADABLE),
    ),
    partial(keep_ruleset, s3, settings.rules_bucket),
    ModelArchive(s3, settings.rules_bucket, SHIPPED_MODELS).get,
    metrics,
    logger,
    clock=partial(datetime.now, UTC),
)


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
@tracer.capture_lambda_handler
def handler(event: dict[str, Any], _context: LambdaContext) -> Any:
    """Judge the active ruleset; with ``{"report": true}``, give the figures of what its candidate would change."""
    return msgspec.to_builtins(stage.report()) if event.get("report") else stage.run()
