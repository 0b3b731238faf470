"""Lambda's entry to the validator: AppConfig invokes it before it deploys a ruleset, and the console while somebody writes one.

It runs the check of `make rules-check`, which is the engine's own check, with the model that the ruleset names, so AppConfig deploys no ruleset that the score stage would refuse.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, cast

import boto3
import msgspec
from aws_lambda_powertools import Logger, Tracer
from botocore.config import Config

from common.model_archive import ModelArchive
from common.settings import read_settings
from contract.authoring import ASK
from engine.errors import InvalidRulesetError
from engine.rules.check import check_ruleset, summary
from rules_validator.author_desk import answer
from rules_validator.settings import Settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

SHIPPED_MODELS = Path(__file__).resolve().parent.parent / "models"
"""Beside the function's folder in the zip."""

settings = read_settings(Settings, os.environ)  # a missing variable fails the cold start
logger, tracer = Logger(), Tracer()
client_config = Config(
    connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2, "mode": "standard"}
)
models = ModelArchive(boto3.client("s3", config=client_config), settings.rules_bucket, SHIPPED_MODELS)


class ValidationEvent(TypedDict):
    """The event that AppConfig sends."""

    applicationId: str
    configurationProfileId: str
    configurationVersion: str
    content: str
    """The document, in base64."""
    uri: str


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any] | None:
    """Answer the console, or check for AppConfig: nothing is returned for a good ruleset."""
    if ASK in event:
        return answer(event, models.get, models.baseline)
    validate(cast("ValidationEvent", event))
    return None


def validate(event: ValidationEvent) -> None:
    """Return if the ruleset is good; refuse it by an InvalidRulesetError, whose text AppConfig shows.

    A bucket that does not answer refuses it too, by a ModelUnreachableError: then deploy again.
    """
    source = f"version {event['configurationVersion']}"
    try:
        ruleset = check_ruleset(base64.b64decode(event["content"], validate=True), source, models.get)
    except InvalidRulesetError as error:
        # Lambda logs the error, and a line of the document may hold an address or a device of a list.
        places = tuple(msgspec.structs.replace(problem, excerpt="") for problem in error.problems)
        raise InvalidRulesetError(places) from None
    logger.info("ruleset is good", ruleset=summary(ruleset, source))
