"""Lambda's entry to the drift stage: settings, adapters, stage, handler."""

from __future__ import annotations

import os
import random
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer

from common.backoff import Backoff
from common.dynamodb import CLIENT_CONFIG
from common.metrics import emit
from common.model_archive import ModelArchive
from common.ruleset_changes import ChangeHistory
from common.settings import read_settings
from common.unreadable_rows import UnreadableRows
from drift.metrics import Metric
from drift.settings import Settings
from drift.stage import DriftStage
from drift.store import LabelledPayments, RulesBucket
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
models = ModelArchive(s3, settings.rules_bucket, SHIPPED_MODELS)
stage = DriftStage(
    RulesBucket(s3, settings.rules_bucket),
    models.get,
    models.baseline,
    CountsTable(dynamodb, settings.rollout_counts_table, UnreadableRows(logger)),
    ChangeHistory(dynamodb, settings.ruleset_changes_table, logger),
    LabelledPayments(
        dynamodb,
        settings.labels_table,
        settings.transaction_history_table,
        Backoff(0.1, 5.0, time.sleep, random.random).pause,
        UnreadableRows(logger, partial(emit, metrics, Metric.LABELS_UNREADABLE)),
    ),
    settings.max_labels,
    metrics,
    clock=partial(datetime.now, UTC),
)


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
@tracer.capture_lambda_handler
def handler(event: dict[str, Any], _context: LambdaContext) -> str:
    """Emit the metrics of the model's health; with ``{"report": true}``, only give the report."""
    return stage.report() if event.get("report") else stage.run()
