"""Lambda's entry to the case stage: settings, adapters, stage, handler."""

from __future__ import annotations

import os
import random
import time
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer

from case.settings import Settings
from case.stage import CaseStage
from case.store import CaseTables, Tables
from common.cases import cases_backoff
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

settings = read_settings(Settings, os.environ)  # a missing variable fails the cold start, not the first case
clock = partial(datetime.now, UTC)
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
stage = CaseStage(
    CaseTables(
        boto3.client("dynamodb", config=CLIENT_CONFIG),
        Tables(
            flagged=settings.flagged_transactions_table,
            cases=settings.cases_table,
            links=settings.case_links_table,
            decisions=settings.case_decisions_table,
        ),
    ),
    settings.case_limits,
    metrics,
    logger,
    crashes,
    clock=clock,
    backoff=cases_backoff(time.sleep, random.random),
)


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
@tracer.capture_lambda_handler
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Bring the cases of one batch's payments up to date; return the records that must be delivered again."""
    return stage.handle(event, context)
