"""Lambda's entry to topic_admin: settings, cluster, handler."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import boto3
from aws_lambda_powertools import Logger, Tracer

from common.settings import read_settings
from topic_admin.authorization_retry import AuthorizationRetry
from topic_admin.cluster import KafkaTopics, client_config
from topic_admin.settings import Settings
from topic_admin.stage import Response, apply_request

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger, tracer = Logger(), Tracer()
settings = read_settings(Settings, os.environ)  # a missing variable fails the cold start
topics = KafkaTopics(client_config(settings, boto3.Session().region_name))


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def handler(event: dict[str, object], _context: LambdaContext) -> Response:
    """Create and change topics as the payload requests; return what was done."""
    response = apply_request(event, AuthorizationRetry(topics))
    logger.info("topics are as requested", topics=response["topics"])
    return response
