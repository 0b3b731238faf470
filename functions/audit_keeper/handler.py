"""Lambda's entry to the keeper of audit heads: settings, adapters, stage, handler."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer

from audit_keeper.settings import Settings
from audit_keeper.stage import AuditKeeper
from audit_keeper.store import HeadsBucket
from common.audit_events import AuditEvents
from common.dynamodb import CLIENT_CONFIG
from common.settings import read_settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()
metrics = Metrics()
tracer = Tracer()  # disabled outside Lambda, and where POWERTOOLS_TRACE_DISABLED is true

settings = read_settings(Settings, os.environ)  # a missing variable fails the cold start, not the first run
stage = AuditKeeper(
    AuditEvents(boto3.client("dynamodb", config=CLIENT_CONFIG), settings.audit_events_table),
    HeadsBucket(
        boto3.client("s3", config=CLIENT_CONFIG),
        settings.audit_heads_bucket,
        settings.lock_mode,
        timedelta(days=settings.retention_days),
    ),
    metrics,
    logger,
    clock=partial(datetime.now, UTC),
)


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
@tracer.capture_lambda_handler
def handler(_event: dict[str, Any], _context: LambdaContext) -> str:
    """Keep this hour's heads."""
    return stage.run()
