"""Lambda's entry to the replay function, which the console invokes for a payment's page, and for the page of a proposed change."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Tracer
from botocore.config import Config

from common.model_archive import ModelArchive
from common.settings import read_settings
from contract.tried import TRY
from replay.kept_rulesets import KeptRulesets
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
trial = Trial(
    HistorySample(dynamodb, settings.transaction_history_table), rulesets, partial(datetime.now, UTC)
)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], _context: LambdaContext) -> Any:
    """Make one decision again, or try a proposed ruleset on stored payments."""
    return trial.handle(event) if TRY in event else stage.handle(event)
