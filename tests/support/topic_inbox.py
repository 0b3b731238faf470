"""An alert topic in moto, and a queue that receives its messages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

QUEUE = "inbox"


def subscribed_topic(aws: Callable[[str], Any]) -> str:
    """Make the topic and its queue; return the topic's ARN."""
    topic: str = aws("sns").create_topic(Name="fraud-alerts")["TopicArn"]
    aws("sqs").create_queue(QueueName=QUEUE)
    aws("sns").subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:us-east-1:123456789012:{QUEUE}"
    )
    return topic


def received(aws: Callable[[str], Any]) -> list[dict[str, Any]]:
    """SNS's notifications, at most 10 of them."""
    queue_url = aws("sqs").get_queue_url(QueueName=QUEUE)["QueueUrl"]
    messages = aws("sqs").receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"]) for message in messages]
