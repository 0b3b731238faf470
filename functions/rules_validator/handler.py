"""Lambda's entry to the validator that AppConfig invokes before it deploys a ruleset: the check of `make rules-check`.

It runs the engine's own check, so AppConfig deploys no ruleset that the score stage would refuse.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, TypedDict

import msgspec
from aws_lambda_powertools import Logger, Tracer

from engine.errors import InvalidRulesetError
from engine.rules.check import check_ruleset, summary

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger, tracer = Logger(), Tracer()


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
def handler(event: ValidationEvent, _context: LambdaContext) -> None:
    """Return if the ruleset is good; refuse it by an InvalidRulesetError, whose text AppConfig shows."""
    source = f"version {event['configurationVersion']}"
    try:
        ruleset = check_ruleset(base64.b64decode(event["content"], validate=True), source)
    except InvalidRulesetError as error:
        # Lambda logs the error, and a line of the document may hold an address or a device of a list.
        places = tuple(msgspec.structs.replace(problem, excerpt="") for problem in error.problems)
        raise InvalidRulesetError(places) from None
    logger.info("ruleset is good", ruleset=summary(ruleset, source))
