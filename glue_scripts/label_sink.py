"""The client of the labels queue."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from glue_scripts.label_queue import CONNECTIONS, send_all

if TYPE_CHECKING:
    from collections.abc import Iterable


def send_rows(queue_url: str, rows: Iterable[Any]) -> None:
    """Send the column ``record`` of rows; returns when the queue has taken every one.

    Raises
    ------
    LabelsNotSentError
        Where the queue refuses a message at every try.
    ClientError
        Where SQS refuses the call.
    """
    import boto3
    from botocore.config import Config

    config = Config(
        retries={"mode": "standard", "total_max_attempts": 8},
        max_pool_connections=CONNECTIONS,
        connect_timeout=5,
        read_timeout=20,
    )
    client = boto3.client("sqs", config=config)
    try:
        send_all(client, queue_url, (bytes(row["record"]) for row in rows), time.sleep)
    finally:
        client.close()
