"""The I/O floor: the same batch decoded, its users' profiles read and written, its rows inserted; nothing is computed.

It makes the calls that the score stage must make even if its logic cost nothing, with plain redis-py and boto3: one MGET, one
pipeline of SETs, and `BatchExecuteStatement` requests with 25 inserts of eleven attributes each, in parallel. Profiles are written
back unchanged. A row's packed attribute is the record itself, padded to about the size of that attribute in the stage's rows.
"""

from __future__ import annotations

import json
import os
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import redis
from botocore.config import Config

STATEMENTS = 25
DETAIL_BYTES, FEATURES_BYTES = 223, 364
"""Sizes of the two packed attributes: the medians of the stage's, of simulated payments with 150 features."""
EXPIRY_SECONDS = 90 * 86_400

table = os.environ["TRANSACTION_HISTORY_TABLE"]
cache = redis.Redis.from_url(os.environ["ELASTICACHE_REDIS_ENDPOINT"])
dynamodb: Any = boto3.client("dynamodb", config=Config(max_pool_connections=8))
pool = ThreadPoolExecutor(max_workers=8)
NAMES = (
    "user_id",
    "event_key",
    "decision",
    "risk_score",
    "position",
    "ruleset_version",
    "scored_at_ms",
    "expires_at",
    "features",
    "detail",
    "transaction_id",
)
FIELDS = ", ".join(f"'{name}': ?" for name in NAMES)
STATEMENT = f'INSERT INTO "{table}" VALUE {{{FIELDS}}}'


def handler(event: dict[str, Any], _context: object) -> dict[str, list[object]]:
    """Decode one batch, and read and write both stores."""
    statements: list[dict[str, Any]] = []
    users: dict[str, None] = {}
    for records in event["records"].values():
        for record in records:
            value = b64decode(record["value"])
            transaction = json.loads(value)
            users[transaction["user_id"]] = None
            statements.append(statement(transaction, value.decode(), record))
    keys = [f"floor:{user_id}" for user_id in users]
    profiles = cache.mget(keys)
    chunks = [statements[start : start + STATEMENTS] for start in range(0, len(statements), STATEMENTS)]
    for answer in pool.map(insert, chunks):
        if any("Error" in response for response in answer["Responses"]):
            raise RuntimeError("a row was not inserted")
    with cache.pipeline(transaction=False) as pipeline:
        for key, profile in zip(keys, profiles, strict=True):
            pipeline.set(key, profile or b"", ex=EXPIRY_SECONDS)
        pipeline.execute()
    return {"batchItemFailures": []}


def statement(transaction: dict[str, Any], text: str, record: dict[str, Any]) -> dict[str, Any]:
    """Write the insert of one row."""
    return {
        "Statement": STATEMENT,
        "Parameters": [
            {"S": transaction["user_id"]},
            {"S": f"{transaction['timestamp']}#{transaction['transaction_id']}"},
            {"S": "approve"},
            {"N": "0"},
            {"S": f"{record['topic']}/{record['partition']}/{record['offset']}"},
            {"S": "2025-01+0123456789ab"},
            {"N": str(record["timestamp"])},
            {"N": str(record["timestamp"] // 1000)},
            {"B": bytes(FEATURES_BYTES)},
            {"S": text[:DETAIL_BYTES].ljust(DETAIL_BYTES)},
            {"S": transaction["transaction_id"]},
        ],
    }


def insert(chunk: list[dict[str, Any]]) -> dict[str, Any]:
    """Insert up to 25 rows."""
    answer: dict[str, Any] = dynamodb.batch_execute_statement(Statements=chunk)
    return answer
