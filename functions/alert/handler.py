"""Lambda's entry to the alert stage: settings, adapters, stage, handler."""

from __future__ import annotations

import os
import random
import time
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer

from alert.settings import Settings
from alert.stage import AlertStage
from alert.store import AlertTables
from common import topic
from common.alert_windows import windows_backoff
from common.crash_counts import COUNT_CLIENT_CONFIG, CrashTable
from common.dead_letters import BucketDeadLetters
from common.dynamodb import CLIENT_CONFIG
from common.settings import read_settings
from common.stream_crashes import StreamCrashes

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()
metrics = Metrics()
tracer = Tracer()  # disabled outside Lambda, and where POWERTOOLS_TRACE_DISABLED is true

settings = read_settings(Settings, os.environ)  # a missing variable fails the cold start, not the first alert
clock = partial(datetime.now, UTC)
dynamodb = boto3.client("dynamodb", config=CLIENT_CONFIG)
crashes = StreamCrashes(
    CrashTable(
        partial(boto3.client, "dynamodb", config=COUNT_CLIENT_CONFIG),
        settings.record_crashes_table,
        logger.service,
        clock,
    ),
    BucketDeadLetters(partial(boto3.client, "s3", config=CLIENT_CONFIG), settings.dead_letter_bucket, clock),
    settings.crash_limits,
    clock,
)
stage = AlertStage(
    AlertTables(
        dynamodb,
        settings.flagged_transactions_table,
        settings.alert_windows_table,
    ),
    topic.SnsTopic(boto3.client("sns", config=topic.CLIENT_CONFIG), settings.sns_topic_arn),
    settings.alert_limits,
    metrics,
    logger,
    crashes,
    clock=clock,
    backoff=windows_backoff(time.sleep, random.random),
    console_url=settings.console_url,
)


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
@tracer.capture_lambda_handler
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Alert on the payments of one batch; return the records that must be delivered again."""
    return stage.handle(event, context)
