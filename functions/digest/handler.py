"""Lambda's entry to the digest stage: settings, adapters, stage, handler."""

from __future__ import annotations

import os
import random
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer

from common import topic
from common.alert_windows import windows_backoff
from common.dynamodb import CLIENT_CONFIG
from common.settings import read_settings
from digest.settings import Settings
from digest.stage import DigestStage
from digest.store import DueDigests

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()
metrics = Metrics()
tracer = Tracer()  # disabled outside Lambda, and where POWERTOOLS_TRACE_DISABLED is true

settings = read_settings(
    Settings, os.environ
)  # a missing variable fails the cold start, not the first digest
stage = DigestStage(
    DueDigests(boto3.client("dynamodb", config=CLIENT_CONFIG), settings.alert_windows_table),
    topic.SnsTopic(boto3.client("sns", config=topic.CLIENT_CONFIG), settings.sns_topic_arn),
    metrics,
    logger,
    clock=lambda: datetime.now(UTC),
    backoff=windows_backoff(time.sleep, random.random),
    console_url=settings.console_url,
)


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
@tracer.capture_lambda_handler
def handler(_event: dict[str, Any], context: LambdaContext) -> None:
    """Send the digests that are due."""
    stage.send_due(context)
