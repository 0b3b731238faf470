"""Lambda's entry to the deployer: settings, adapters, stage, handler."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer

from common.dynamodb import CLIENT_CONFIG
from common.model_archive import ModelArchive
from common.ruleset_bucket import keep_ruleset, proposed_document
from common.settings import read_settings
from rollouts.deployments import Deployments
from ruleset_deployer.settings import Settings
from ruleset_deployer.stage import Deployer
from ruleset_deployer.store import DeployedRows

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

SHIPPED_MODELS = Path(__file__).resolve().parent.parent / "models"
"""Beside the function's folder in the zip."""

logger = Logger()
metrics = Metrics()
tracer = Tracer()  # disabled outside Lambda, and where POWERTOOLS_TRACE_DISABLED is true

settings = read_settings(Settings, os.environ)  # a missing variable fails the cold start, not the first run
s3 = boto3.client("s3", config=CLIENT_CONFIG)
stage = Deployer(
    DeployedRows(boto3.client("dynamodb", config=CLIENT_CONFIG), settings.ruleset_changes_table, logger),
    Deployments(
        boto3.client("appconfig", config=CLIENT_CONFIG),
        settings.rules_application,
        settings.rules_environment,
        settings.rules_strategy,
    ),
    partial(proposed_document, s3, settings.rules_bucket),
    partial(keep_ruleset, s3, settings.rules_bucket),
    ModelArchive(s3, settings.rules_bucket, SHIPPED_MODELS).get,
    settings.rules_gradual_strategy,
    metrics,
    logger,
    clock=partial(datetime.now, UTC),
)


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
@tracer.capture_lambda_handler
def handler(_event: dict[str, Any], _context: LambdaContext) -> str:
    """Take each approved change a step further."""
    return stage.run()
