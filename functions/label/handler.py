"""Lambda's entry to the label stage: settings, adapters, stage, handler."""

from __future__ import annotations

import os
import random
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer

from cache.auth import cache_credentials
from cache.copier import Copier
from cache.label_copies import RedisLabelCopies
from cache.primary import connect
from common.backoff import Backoff
from common.dynamodb import CLIENT_CONFIG
from common.label_quarantine import SqsLabelQuarantine
from common.label_tables import LabelTables
from common.settings import read_settings
from label.finder import PaymentFinder
from label.settings import Settings
from label.stage import LabelStage
from label.store import LabelStore, Tables

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()
metrics = Metrics()
tracer = Tracer()  # disabled outside Lambda, and where POWERTOOLS_TRACE_DISABLED is true

settings = read_settings(Settings, os.environ)  # a missing variable fails the cold start, not the first label
dynamodb = boto3.client("dynamodb", config=CLIENT_CONFIG)
pause = Backoff(0.05, 1.0, time.sleep, random.random).pause
tables = LabelTables(dynamodb, settings.labels_table, settings.entity_risk_table)
cache = connect(settings.elasticache_redis_endpoint, cache_credentials(boto3.Session(), settings))
stage = LabelStage(
    PaymentFinder(dynamodb, settings.transaction_history_table, settings.transaction_id_index, pause),
    tables,
    LabelStore(
        dynamodb,
        Tables(
            settings.labels_table,
            settings.flagged_transactions_table,
            settings.entity_risk_table,
            settings.pending_labels_table,
        ),
        timedelta(days=settings.risk_retention_days),
        pause,
    ),
    Copier(tables, RedisLabelCopies(cache)),
    SqsLabelQuarantine(boto3.client("sqs", config=CLIENT_CONFIG), settings.quarantine_queue_url),
    timedelta(days=settings.label_retention_days),
    metrics,
    logger,
    clock=partial(datetime.now, UTC),
)


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
@tracer.capture_lambda_handler
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Give the labels of one batch their effects; return the messages that must be delivered again."""
    return stage.handle(event, context)
