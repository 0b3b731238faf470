"""Lambda's entry to the reconciler: settings, adapters, stage, handler."""

from __future__ import annotations

import os
import random
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer

from common.backoff import Backoff
from common.dynamodb import CLIENT_CONFIG
from common.settings import read_settings
from reconcile import repairs
from reconcile.settings import Settings
from reconcile.stage import Reconciler, Summary
from reconcile.tables import Tables

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

MARGIN_MS = 150_000
"""With less time left no request and no call is begun: a call of a stage must still fit, with its retry."""

logger = Logger()
metrics = Metrics()
tracer = Tracer()  # disabled outside Lambda, and where POWERTOOLS_TRACE_DISABLED is true

settings = read_settings(Settings, os.environ)  # a missing variable fails the cold start, not the first run
clock = partial(datetime.now, UTC)
functions = boto3.client("lambda", config=repairs.CLIENT_CONFIG)
stage = Reconciler(
    Tables(
        boto3.client("dynamodb", config=CLIENT_CONFIG),
        settings.transaction_history_table,
        settings.flagged_transactions_table,
        settings.cases_table,
        Backoff(0.1, 5.0, time.sleep, random.random).pause,
    ),
    repairs.StageRepair(functions, settings.persist_function, clock),
    repairs.StageRepair(functions, settings.alert_function, clock),
    repairs.StageRepair(functions, settings.case_function, clock),
    timedelta(hours=settings.look_back_hours),
    timedelta(minutes=settings.grace_minutes),
    metrics,
    logger,
    clock,
)


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
@tracer.capture_lambda_handler
def handler(event: dict[str, Any], context: LambdaContext) -> Summary:
    """Look through the last hours for payments that a stage has missed."""
    return stage.run(event, lambda: context.get_remaining_time_in_millis() > MARGIN_MS)
