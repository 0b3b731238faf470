"""Makes in the local stack what Terraform makes in AWS, from the same files: `tables.yaml` and every `function.yaml`.

Doing it twice changes nothing.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any, Final

import msgspec
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from contract.canary import CANARY_ATTRIBUTE
from local.components.aws_api import REGION, make_client
from local.identity import make_console_site
from local.resources import (
    ACCOUNT_ID,
    ALERT_INBOX,
    ALERT_TOPIC,
    AUDIT_HEADS_BUCKET,
    BUCKETS,
    CANARY_QUEUE,
    LABELS_PREFIX,
    LANDING_PREFIX,
    Resources,
    dead_letter_name,
)
from local.rulesets import Rulesets
from ops.manifests import KafkaTrigger, QueueTrigger, StreamTrigger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ops.manifests import FunctionSpec, Key, TableSpec

TOPIC_PARTITIONS: Final = 6
"""Partitions of every Kafka topic that a function reads."""

RETENTION_SECONDS: Final = 14 * 24 * 3600
"""The longest that SQS keeps a message."""

_KAFKA_SECONDS: Final = 30.0


class ProvisionError(Exception):
    """A resource that the stack cannot make."""


def provision(
    aws_endpoint: str,
    bootstrap_servers: str,
    functions: Mapping[str, FunctionSpec],
    tables: Mapping[str, TableSpec],
    ruleset: str,
    console_url: str = "",
) -> Resources:
    """Make everything that the functions need; what exists is left as it is.

    Parameters
    ----------
    aws_endpoint : str
        Endpoint URL of the AWS API.
    bootstrap_servers : str
        Of Kafka, ``host:port``.
    functions, tables : Mapping
        The content of the yaml files, by name.
    ruleset : str
        The YAML document to deploy if none is deployed yet.
    console_url : str
        Where browsers will open the console; empty for a stack without one.

    Returns
    -------
    Resources
        All resources, made by this call or an earlier one.
    """
    kafka_topics = sorted(
        {spec.trigger.topic for spec in functions.values() if isinstance(spec.trigger, KafkaTrigger)}
    )
    _make_kafka_topics(bootstrap_servers, kafka_topics)
    dynamodb = make_client("dynamodb", aws_endpoint)
    for name, table in tables.items():
        _make_table(dynamodb, name, table)
    queues = _make_queues(aws_endpoint, functions)
    topic_arn = _make_alert_topic(aws_endpoint, queues[ALERT_INBOX], queues[CANARY_QUEUE])
    buckets = _make_buckets(aws_endpoint, functions, queues)
    resources = Resources(
        tables={name: name for name in tables},
        queues=queues,
        topics={"fraud_alerts": topic_arn},
        buckets=buckets,
        kafka_topics=kafka_topics,
        console=make_console_site(aws_endpoint, console_url) if console_url else None,
    )
    rules = Rulesets(aws_endpoint, resources.rules).deploy_first(ruleset, resources.tables["ruleset_changes"])
    return msgspec.structs.replace(resources, rules=rules)


def _make_kafka_topics(bootstrap_servers: str, names: list[str]) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap_servers})
    config = {"message.timestamp.type": "LogAppendTime"}  # as Terraform sets it
    requested = [NewTopic(name, TOPIC_PARTITIONS, 1, config=config) for name in names]
    for name, made in (admin.create_topics(requested) if requested else {}).items():
        try:
            made.result(_KAFKA_SECONDS)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise ProvisionError(f"Kafka topic {name}: {error.args[0].str()}") from error


def table_request(name: str, table: TableSpec) -> dict[str, Any]:
    """Make the CreateTable request of a table in `tables.yaml`."""
    keys = [table.partition_key, table.sort_key]
    for index in table.indexes.values():
        keys += [index.partition_key, index.sort_key]
    types = {key.name: key.type for key in keys if key is not None}
    request: dict[str, Any] = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": _key_schema(table.partition_key, table.sort_key),
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": kind} for name, kind in types.items()
        ],
    }
    if table.indexes:
        request["GlobalSecondaryIndexes"] = [
            {
                "IndexName": index_name,
                "KeySchema": _key_schema(index.partition_key, index.sort_key),
                "Projection": {"ProjectionType": index.projection}
                | ({"NonKeyAttributes": index.attributes} if index.attributes else {}),
            }
            for index_name, index in table.indexes.items()
        ]
    if table.stream_view is not None:
        request["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": table.stream_view}
    return request


def _key_schema(partition_key: Key, sort_key: Key | None) -> list[dict[str, str]]:
    schema = [{"AttributeName": partition_key.name, "KeyType": "HASH"}]
    if sort_key is not None:
        schema.append({"AttributeName": sort_key.name, "KeyType": "RANGE"})
    return schema


def _make_table(dynamodb: Any, name: str, table: TableSpec) -> None:
    with contextlib.suppress(dynamodb.exceptions.ResourceInUseException):
        dynamodb.create_table(**table_request(name, table))
    dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    if table.time_to_live_attribute is None:
        return
    # Enabling it twice is an error, in AWS too.
    state = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]["TimeToLiveStatus"]
    if state == "DISABLED":
        dynamodb.update_time_to_live(
            TableName=name,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": table.time_to_live_attribute},
        )


def _make_queues(aws_endpoint: str, functions: Mapping[str, FunctionSpec]) -> dict[str, str]:
    sqs = make_client("sqs", aws_endpoint)
    names = ["quarantine", ALERT_INBOX, CANARY_QUEUE, *map(dead_letter_name, functions)]
    attributes = {"MessageRetentionPeriod": str(RETENTION_SECONDS)}
    queues = {name: sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"] for name in names}
    for spec in functions.values():
        if isinstance(spec.trigger, QueueTrigger):
            queues[spec.trigger.queue] = make_source_queue(
                sqs, spec, spec.trigger, dead_letter_name(spec.name)
            )
    return queues


def make_source_queue(sqs: Any, spec: FunctionSpec, trigger: QueueTrigger, dead_letter: str) -> str:
    """Make the queue that a function reads.

    Parameters
    ----------
    sqs
        SQS.
    spec : FunctionSpec
        The function; its time-out decides how long a message is hidden.
    trigger : QueueTrigger
        Its trigger.
    dead_letter : str
        Name of the queue to which SQS moves a message after its last delivery.

    Returns
    -------
    str
        The queue's URL.
    """
    redrive = {
        "deadLetterTargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT_ID}:{dead_letter}",
        "maxReceiveCount": trigger.maximum_receives,
    }
    attributes = {
        "MessageRetentionPeriod": str(RETENTION_SECONDS),
        "VisibilityTimeout": str(spec.visibility_seconds),
        "RedrivePolicy": json.dumps(redrive),
    }
    url: str = sqs.create_queue(QueueName=trigger.queue, Attributes=attributes)["QueueUrl"]
    return url


def _make_alert_topic(aws_endpoint: str, inbox_url: str, canary_url: str) -> str:
    sns, sqs = (make_client(service, aws_endpoint) for service in ("sns", "sqs"))
    topic_arn: str = sns.create_topic(Name=ALERT_TOPIC)["TopicArn"]
    # As Terraform: the canary's messages go to its own queue, and every other subscription filters them out.
    subscribed: dict[str, dict[str, str]] = {
        inbox_url: {"FilterPolicy": json.dumps({CANARY_ATTRIBUTE: [{"exists": False}]})},
        canary_url: {
            "FilterPolicy": json.dumps({CANARY_ATTRIBUTE: ["true"]}),
            "RawMessageDelivery": "true",
        },
    }
    for url, attributes in subscribed.items():
        queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        sns.subscribe(
            TopicArn=topic_arn,
            Protocol="sqs",
            Endpoint=queue["Attributes"]["QueueArn"],
            Attributes=attributes,
        )
    return topic_arn


def make_dead_letter_bucket(aws_endpoint: str, bucket: str, queue_url: str) -> None:
    """Make a bucket whose objects EventBridge announces in a queue."""
    s3, events, sqs = (make_client(service, aws_endpoint) for service in ("s3", "events", "sqs"))
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [bucket]}},
    }
    events.put_rule(Name=bucket, EventPattern=msgspec.json.encode(pattern).decode())
    answer = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    events.put_targets(Rule=bucket, Targets=[{"Id": "queue", "Arn": answer["Attributes"]["QueueArn"]}])


def _make_buckets(
    aws_endpoint: str, functions: Mapping[str, FunctionSpec], queues: Mapping[str, str]
) -> dict[str, str]:
    s3 = make_client("s3", aws_endpoint)
    reading_streams = [name for name, spec in functions.items() if isinstance(spec.trigger, StreamTrigger)]
    dead_letter = {dead_letter_name(name): f"payment-fraud-{name}-dead-letter" for name in reading_streams}
    for name in BUCKETS.values():
        s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=name == AUDIT_HEADS_BUCKET)
    for name, bucket in dead_letter.items():
        make_dead_letter_bucket(aws_endpoint, bucket, queues[name])
    # Spark refuses to watch a folder that does not exist, and without this marker an empty prefix of S3 does not exist.
    for prefix in (LANDING_PREFIX, LABELS_PREFIX):
        s3.put_object(Bucket=BUCKETS["landing"], Key=prefix)
    return BUCKETS | dead_letter
