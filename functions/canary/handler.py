"""Lambda's entry to the canary: settings, adapters, stage, handler."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer

from canary.places import AlertQueue, HistoryTable, LandingBucket
from canary.settings import Settings
from canary.stage import CanaryStage, ScheduledEvent
from common.dynamodb import CLIENT_CONFIG
from common.settings import read_settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()
metrics = Metrics()
tracer = Tracer()  # disabled outside Lambda, and where POWERTOOLS_TRACE_DISABLED is true

settings = read_settings(Settings, os.environ)  # a missing variable fails the cold start, not the first run
stage = CanaryStage(
    LandingBucket(boto3.client("s3", config=CLIENT_CONFIG), settings.landing_bucket, settings.landing_prefix),
    HistoryTable(boto3.client("dynamodb", config=CLIENT_CONFIG), settings.transaction_history_table),
    AlertQueue(boto3.client("sqs", config=CLIENT_CONFIG), settings.canary_queue_url, logger),
    timedelta(minutes=settings.every_minutes),
    metrics,
    logger,
    clock=lambda: datetime.now(UTC),
)


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
@tracer.capture_lambda_handler
def handler(event: ScheduledEvent, context: LambdaContext) -> None:
    """Send this run's payments, and measure whether those of the run before came out."""
    del context
    stage.run(event)
