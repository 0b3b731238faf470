"""Lambda's entry to the replay function, which the console invokes for a payment's page, and to try a proposed ruleset: then it waits for no answer."""

from __future__ import annotations

import os
import random
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Tracer
from botocore.config import Config

from common.backoff import Backoff
from common.model_archive import ModelArchive
from common.settings import read_settings
from common.trial_rows import TrialRows
from contract.tried import TRIAL
from replay.kept_rulesets import KeptRulesets
from replay.known_verdicts import KnownVerdictsTables
from replay.sample import HistorySample
from replay.settings import Settings
from replay.stage import ReplayStage
from replay.trial import Trial

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

SHIPPED_MODELS = Path(__file__).resolve().parent.parent / "models"
"""Beside the function's folder in the zip."""

settings = read_settings(Settings, os.environ)  # a missing variable fails the cold start
logger, tracer = Logger(), Tracer()
client_config = Config(
    connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2, "mode": "standard"}
)
s3 = boto3.client("s3", config=client_config)
models = ModelArchive(s3, settings.rules_bucket, SHIPPED_MODELS)
dynamodb = boto3.client("dynamodb", config=client_config)
rulesets = KeptRulesets(s3, settings.rules_bucket, models.get)
stage = ReplayStage(dynamodb, settings.transaction_history_table, rulesets)
# For trials: a page of a scan is up to 1 MiB, and a table of provisioned capacity may refuse some.
patient = boto3.client(
    "dynamodb",
    config=Config(connect_timeout=1, read_timeout=4, retries={"total_max_attempts": 5, "mode": "standard"}),
)
trial = Trial(
    TrialRows(dynamodb, settings.rollout_counts_table),
    HistorySample(patient, settings.transaction_history_table),
    KnownVerdictsTables(
        patient,
        settings.entity_risk_table,
        settings.flagged_transactions_table,
        Backoff(0.05, 1.0, time.sleep, random.random).pause,
    ),
    rulesets,
    settings.bounds,
    partial(datetime.now, UTC),
    logger,
)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Make one decision again, or work on a trial."""
    if TRIAL in event:
        return trial.handle(event, timedelta(milliseconds=context.get_remaining_time_in_millis()))
    return stage.handle(event)
