"""Lambda's entry to card_token: settings, key, handler. No line of its log holds a request or an answer."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import boto3
from aws_lambda_powertools import Logger, Tracer

from card_token.settings import Settings
from card_token.stage import CLIENT_CONFIG, TokenMaker, TokenResponse
from common.settings import read_settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger, tracer = Logger(), Tracer()
settings = read_settings(Settings, os.environ)  # a missing variable fails the cold start
maker = TokenMaker(boto3.client("kms", config=CLIENT_CONFIG), settings.tokenization_key_arn)


@logger.inject_lambda_context(log_event=False)  # whatever POWERTOOLS_LOGGER_LOG_EVENT says
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: object, _context: LambdaContext) -> TokenResponse:
    """Give the token of the card number in the request."""
    response = maker.answer(event)
    logger.info("made the token of a card number")
    return response
