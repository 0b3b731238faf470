"""The baseline: for each record, parse JSON, read the last location from Redis, check two conditions, and write at once.

A payment is flagged if it is over 10,000, or from another location than the last one, less than an hour apart. Items are built by
hand for boto3's low-level client: its resource layer, which a first version would more likely use, costs some 150 µs more a row.
"""

from __future__ import annotations

import base64
import json
import os
from datetime import datetime
from typing import Any

import boto3
import redis

AMOUNT_LIMIT = 10_000
LOCATION_WINDOW_SECONDS = 3600

cache = redis.Redis.from_url(os.environ["ELASTICACHE_REDIS_ENDPOINT"])
dynamodb = boto3.client("dynamodb")
sns = boto3.client("sns")
history_table = os.environ["TRANSACTION_HISTORY_TABLE"]
flagged_table = os.environ["FLAGGED_TRANSACTIONS_TABLE"]
topic_arn = os.environ["SNS_TOPIC_ARN"]


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    """Process every record of a batch."""
    count = 0
    for records in event["records"].values():
        for record in records:
            process(json.loads(base64.b64decode(record["value"])))
            count += 1
    return {"processed": count}


def process(transaction: dict[str, Any]) -> None:
    """Check one payment, store it, and publish an alert if it is flagged."""
    key = f"last_location:{transaction['user_id']}"
    location = place(transaction.get("location"))
    at = datetime.fromisoformat(transaction["timestamp"]).timestamp()
    last = json.loads(cache.get(key) or "null")
    is_moved = (
        last is not None and last["location"] != location and abs(at - last["at"]) < LOCATION_WINDOW_SECONDS
    )
    is_flagged = float(transaction["amount"]) > AMOUNT_LIMIT or is_moved
    cache.set(key, json.dumps({"location": location, "at": at}), ex=LOCATION_WINDOW_SECONDS)
    item = {
        "user_id": {"S": transaction["user_id"]},
        "event_key": {"S": f"{transaction['timestamp']}#{transaction['transaction_id']}"},
        "transaction_id": {"S": transaction["transaction_id"]},
        "amount": {"N": str(transaction["amount"])},
        "currency": {"S": transaction.get("currency", "USD")},
        "location": {"S": json.dumps(transaction.get("location"))},
        "merchant_id": {"S": transaction.get("merchant_id", "")},
        "is_fraudulent": {"BOOL": is_flagged},
    }
    dynamodb.put_item(TableName=history_table, Item=item)
    if is_flagged:
        dynamodb.put_item(TableName=flagged_table, Item=item)
        sns.publish(TopicArn=topic_arn, Subject="Fraud alert", Message=json.dumps(transaction))


def place(location: Any) -> Any:
    """Name a location by its city if it has one: coordinates within one city differ."""
    return location.get("city", location) if isinstance(location, dict) else location
