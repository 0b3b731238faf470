"""Lambda's entry to the score stage: settings, adapters, stage, handler."""

from __future__ import annotations

import gc
import itertools
import os
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from botocore.config import Config

from cache.auth import cache_credentials
from cache.primary import connect
from common.crash_counts import COUNT_CLIENT_CONFIG, CrashTable
from common.model_archive import ModelArchive
from common.settings import read_settings
from score.checkpoint_store import DynamoCheckpointStore
from score.crash_guard import CrashGuard, QueueDeadLetters
from score.dynamo_calls import DynamoCalls
from score.entity_store import RedisEntityStore
from score.history_store import DynamoHistoryStore
from score.profile_store import RedisProfileStore
from score.quarantine import SqsQuarantine
from score.rollout_counter import DynamoCounts, RolloutCounter
from score.rules_source import AppConfigDocument, Rulesets
from score.ruleset_archive import BucketRulesets
from score.settings import Settings
from score.stage import ScoreStage
from score.telemetry import EmfTelemetry
from score.trace import recorded

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from score.delivery import KafkaEvent, PartialBatchResponse

RETRY_MARGIN_MS = 10_000
"""With less time left no new try begins: a request's time-outs, writing the profiles and the answer must still fit."""

DEFAULT_RULESET = Path(__file__).resolve().parent.parent / "rules" / "default.yaml"
"""Beside the stage's folder in the zip."""

SHIPPED_MODELS = DEFAULT_RULESET.parent.parent / "models"

BATCHES_PER_FULL_COLLECTION = 1000
"""Between two of them only the youngest objects are collected, in microseconds. A full one takes some 8 ms and finds nothing in the usual
case: after every hundredth batch it was a twentieth of the CPU of batches of one payment."""

settings = read_settings(
    Settings, os.environ
)  # a missing variable fails the cold start, not the first payment
logger, metrics, tracer = Logger(), Metrics(), Tracer()
client_config = Config(
    connect_timeout=2,
    read_timeout=5,
    max_pool_connections=8,
    tcp_keepalive=True,
    parameter_validation=False,  # a fifth of a request's CPU; our requests' shapes are tested
    retries={"total_max_attempts": 2, "mode": "standard"},
)
clock = partial(datetime.now, UTC)
telemetry = EmfTelemetry(metrics, logger, clock)
document = AppConfigDocument(
    application=settings.rules_application,
    environment=settings.rules_environment,
    profile=settings.rules_profile,
    max_age_seconds=settings.rules_refresh_seconds,
)
session = boto3.Session()
s3 = session.client("s3", config=client_config)
models = ModelArchive(s3, settings.rules_bucket, SHIPPED_MODELS)
kept_rulesets = BucketRulesets(
    s3, settings.rules_bucket, ThreadPoolExecutor(max_workers=1), telemetry.ruleset_not_kept, models
)
rulesets = Rulesets(
    document,
    models.get,
    source=document.source,
    fallbacks=(kept_rulesets.last_good, DEFAULT_RULESET.read_bytes),
    on_active=kept_rulesets.keep,
    on_fallback=telemetry.ruleset_fallback,
    on_refused=telemetry.ruleset_refused,
    on_unreachable=telemetry.ruleset_unreachable,
)
cache = connect(settings.elasticache_redis_endpoint, cache_credentials(session, settings))
dynamodb = session.client("dynamodb", config=client_config)
calls = DynamoCalls(dynamodb, recorded(tracer.provider.in_subsegment, os.environ))
history = DynamoHistoryStore(
    calls, settings.transaction_history_table, settings.history_retention_days, time.sleep
)
checkpoints = DynamoCheckpointStore(
    calls, settings.profile_checkpoints_table, settings.profile_retention_days, time.sleep, clock
)
sqs = session.client("sqs", config=client_config)
quarantine = SqsQuarantine(
    sqs,
    s3,
    settings.quarantine_queue_url,
    settings.quarantine_bucket,
)
profiles = RedisProfileStore(cache, settings.profile_retention_days)
score_stage = ScoreStage(
    profiles,
    RedisEntityStore(cache),
    checkpoints,
    history,
    quarantine,
    rulesets.current,
    telemetry,
    clock,
    RolloutCounter(
        DynamoCounts(dynamodb, settings.rollout_counts_table, uuid.uuid4().hex[:12]),
        clock,
        telemetry.counts_not_written,
    ),
)
stage = CrashGuard(
    score_stage,
    CrashTable(
        partial(session.client, "dynamodb", config=COUNT_CLIENT_CONFIG),
        settings.record_crashes_table,
        logger.service,
        clock,
    ),
    QueueDeadLetters(sqs, settings.dead_letter_queue_url, clock),
    settings.crash_limits,
    telemetry,
    clock,
)

# A batch makes tens of thousands of objects that live until its end, and almost no cycles. Searching them for cycles took a
# sixth of its CPU. So garbage is collected between batches, when they are gone; objects of the cold start are never searched again.
gc.freeze()
gc.disable()
batches = itertools.count(1)


@tracer.capture_lambda_handler(capture_response=False)
@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: KafkaEvent, context: LambdaContext) -> PartialBatchResponse:
    """Score one batch; return the offsets that must be delivered again."""
    try:
        return stage.handle(
            event,
            lambda: context.get_remaining_time_in_millis() > RETRY_MARGIN_MS,
            context.invoked_function_arn,
        )
    finally:
        gc.collect(2 if next(batches) % BATCHES_PER_FULL_COLLECTION == 0 else 0)
