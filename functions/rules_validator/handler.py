"""Lambda's entry to the validator: the check of `make rules-check`, before AppConfig deploys a ruleset, and while somebody writes one.

It runs the engine's own check, with the model that the ruleset names, so AppConfig deploys no ruleset that the score stage would refuse. Whoever proposes a
change asks with ``{"draft": ...}`` (:mod:`contract.ruleset_draft`); the console, which has no YAML, with ``{"ask": ...}`` (:mod:`contract.authoring`).
"""

from __future__ import annotations

import base64
import os
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, final

import boto3
import msgspec
from aws_lambda_powertools import Logger, Tracer
from botocore.config import Config

from common.model_archive import ModelArchive
from common.ruleset_bucket import kept_ruleset
from common.settings import read_settings
from contract.ruleset_draft import Draft
from engine.errors import InvalidRulesetError
from engine.rules.check import check_ruleset, summary
from rules_validator.author_desk import answer
from rules_validator.drafts import DraftChecker
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
s3 = boto3.client("s3", config=client_config)
models = ModelArchive(s3, settings.rules_bucket, SHIPPED_MODELS)
drafts = DraftChecker(partial(kept_ruleset, s3, settings.rules_bucket), models.get, lambda: datetime.now(UTC))


@final
class ValidationEvent(TypedDict):
    """The event that AppConfig sends."""

    applicationId: str
    configurationProfileId: str
    configurationVersion: str
    content: str
    """The document, in base64."""
    uri: str


@final
class DraftEvent(TypedDict):
    """The event that somebody sends who proposes a change."""

    draft: dict[str, Any]
    """A :class:`contract.ruleset_draft.Draft`."""


@final
class AskEvent(TypedDict):
    """The event that the console sends: a :data:`contract.authoring.Request`."""

    ask: str


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: ValidationEvent | DraftEvent | AskEvent, _context: LambdaContext) -> dict[str, Any] | None:
    """Check a draft, and give its problems or its whole document; answer the console; or return nothing to AppConfig if the ruleset is good.

    It is refused by an InvalidRulesetError, whose text AppConfig shows. A bucket that does not answer refuses it too, by a
    ModelUnreachableError: then deploy again.
    """
    if "draft" in event:
        found: dict[str, Any] = msgspec.to_builtins(drafts.check(msgspec.convert(event["draft"], Draft)))
        return found
    if "ask" in event:
        return answer(event, models.get, models.baseline)
    validate(event)
    return None


def validate(event: ValidationEvent) -> None:
    """Return if the ruleset is good, else raise."""
    source = f"version {event['configurationVersion']}"
    try:
        ruleset = check_ruleset(base64.b64decode(event["content"], validate=True), source, models.get)
    except InvalidRulesetError as error:
        # Lambda logs the error, and a line of the document may hold an address or a device of a list.
        places = tuple(msgspec.structs.replace(problem, excerpt="") for problem in error.problems)
        raise InvalidRulesetError(places) from None
    logger.info("ruleset is good", ruleset=summary(ruleset, source))
