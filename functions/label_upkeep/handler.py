"""Lambda's entry to the upkeep of labels: settings, adapters, stage, handler."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer

from cache.auth import cache_credentials
from cache.copier import Copier
from cache.label_copies import RedisLabelCopies
from cache.primary import connect
from common.dynamodb import CLIENT_CONFIG
from common.label_quarantine import SqsLabelQuarantine
from common.label_tables import LabelTables
from common.metrics import emit
from common.settings import read_settings
from common.unreadable_rows import UnreadableRows
from label_upkeep.look import Look
from label_upkeep.metrics import Metric
from label_upkeep.settings import Settings
from label_upkeep.stage import LabelUpkeep
from label_upkeep.store import UpkeepTables
from label_upkeep.unfinished import LabelQueue, UnfinishedLabels

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()
metrics = Metrics()
tracer = Tracer()  # disabled outside Lambda, and where POWERTOOLS_TRACE_DISABLED is true

settings = read_settings(Settings, os.environ)  # a missing variable fails the cold start, not the first label
dynamodb = boto3.client("dynamodb", config=CLIENT_CONFIG)
sqs = boto3.client("sqs", config=CLIENT_CONFIG)
tables = UpkeepTables(dynamodb, settings.entity_risk_table, settings.pending_labels_table)
copies = RedisLabelCopies(
    connect(settings.elasticache_redis_endpoint, cache_credentials(boto3.Session(), settings))
)
stage = LabelUpkeep(
    UnfinishedLabels(
        tables,
        LabelQueue(sqs, settings.labels_queue_url).send,
        SqsLabelQuarantine(sqs, settings.quarantine_queue_url),
        timedelta(days=settings.pending_days),
        metrics,
        logger,
    ),
    Look(
        tables,
        Copier(LabelTables(dynamodb, settings.labels_table, settings.entity_risk_table), copies),
        copies,
        settings.entity_risk_table,
        settings.labels_table,
        timedelta(hours=settings.check_every_hours),
        metrics,
        UnreadableRows(logger, partial(emit, metrics, Metric.ROWS_UNREADABLE)),
    ),
    tables,
    copies,
    metrics,
    logger,
    clock=partial(datetime.now, UTC),
)


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
@tracer.capture_lambda_handler
def handler(_event: dict[str, Any], context: LambdaContext) -> None:
    """Do what is due."""
    stage.run(context)
