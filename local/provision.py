"""What Terraform makes in AWS, made in the local stack from the same files: `tables.yaml` and every `function.yaml`.

Doing it twice changes nothing. What a function's environment refers to is resolved here, and only here.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

import msgspec
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from local.components.aws_api import make_client
from local.rulesets import Rulesets, RulesLocation
from ops.manifests import KafkaTrigger, Reference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ops.manifests import FunctionSpec, Key, TableSpec

ACCOUNT_ID: Final = "000000000000"
"""The account that the emulator plays."""

ALERT_TOPIC: Final = "fraud-alerts"
ALERT_INBOX: Final = "alerts-inbox"
"""A queue that subscribes to the alert topic as any customer's would, raw delivery off."""

BUCKETS: Final = {"landing": "payment-fraud-landing", "quarantine": "payment-fraud-quarantine"}
"""Interface name to the name in the emulator."""

LANDING_PREFIX: Final = "transactions/"
"""Where in the landing bucket files of transactions are dropped."""

INGESTION_QUARANTINE_PREFIX: Final = "ingestion/"
"""Where in the quarantine bucket the Glue job puts bad rows."""

METRICS_NAMESPACE: Final = "FraudDetection"
"""Of the functions' metrics; in AWS each environment has its own."""

TOPIC_PARTITIONS: Final = 6
"""Of every Kafka topic that a function reads."""

DEAD_LETTER_RETENTION_SECONDS: Final = 14 * 24 * 3600
"""The longest that SQS keeps a message."""

_KAFKA_SECONDS: Final = 30.0


class ProvisionError(Exception):
    """Something that the stack cannot make or resolve."""


class UnknownReferenceError(ProvisionError):
    """A reference in a `function.yaml` to what the stack does not have; names function, variable and reference."""

    def __init__(self, function: str, variable: str, reference: str, known: list[str]) -> None:
        super().__init__(
            f"functions/{function}/function.yaml: environment.{variable} refers to {reference!r}, "
            f"which the stack does not have; it has {', '.join(known)}"
        )
        self.function = function
        self.variable = variable
        self.reference = reference


class Resources(msgspec.Struct, frozen=True, kw_only=True):
    """What was made, by interface name."""

    tables: dict[str, str]
    """Interface name to table name."""
    queues: dict[str, str]
    """Interface name (``quarantine``, ``score-dead-letter``) to queue URL."""
    topics: dict[str, str]
    """SNS topics: interface name to ARN."""
    buckets: dict[str, str]
    """Interface name to bucket name."""
    kafka_topics: list[str]
    rules: RulesLocation = RulesLocation()

    @property
    def alert_topic_arn(self) -> str:
        """The topic that alerts are published on."""
        return self.topics["fraud_alerts"]

    @property
    def landing_uri(self) -> str:
        """Where files of transactions are dropped."""
        return f"s3://{self.buckets['landing']}/{LANDING_PREFIX}"

    @property
    def ingestion_quarantine_uri(self) -> str:
        """Where the Glue job puts bad rows."""
        return f"s3://{self.buckets['quarantine']}/{INGESTION_QUARANTINE_PREFIX}"

    def dead_letter_queue(self, function: str) -> str:
        """URL of a function's dead-letter queue."""
        return self.queues[dead_letter_name(function)]

    def references(self, cache_endpoint: str, bootstrap_servers: str) -> dict[str, str]:
        """Everything that a `function.yaml` can refer to, and what that is here."""
        named = {"table": self.tables, "queue": self.queues, "topic": self.topics, "bucket": self.buckets}
        return {
            **{f"{kind}.{name}": value for kind, values in named.items() for name, value in values.items()},
            **{f"rules.{name}": value for name, value in msgspec.structs.asdict(self.rules).items()},
            "cache.endpoint": cache_endpoint,
            "cache.replication_group": "",  # this cache asks for no sign-in
            "kafka.bootstrap_servers": bootstrap_servers,
            "kafka.security_protocol": "PLAINTEXT",
            "metrics.namespace": METRICS_NAMESPACE,
        }


def dead_letter_name(function: str) -> str:
    """Name of a function's dead-letter queue."""
    return f"{function}-dead-letter"


def resolve_environment(function: FunctionSpec, references: Mapping[str, str]) -> dict[str, str]:
    """Put values in the place of a function's references.

    Parameters
    ----------
    function : FunctionSpec
        What `function.yaml` says.
    references : Mapping[str, str]
        What there is: ``table.transaction_history`` to a table's name, and so on.

    Returns
    -------
    dict[str, str]
        The function's environment, complete.

    Raises
    ------
    UnknownReferenceError
        Naming function, variable and reference.
    """
    environment = {}
    for variable, value in function.environment.items():
        if not isinstance(value, Reference):
            environment[variable] = value
            continue
        if value.ref not in references:
            raise UnknownReferenceError(function.name, variable, value.ref, sorted(references))
        environment[variable] = references[value.ref]
    return environment


def provision(
    aws_endpoint: str,
    bootstrap_servers: str,
    functions: Mapping[str, FunctionSpec],
    tables: Mapping[str, TableSpec],
    ruleset: str,
) -> Resources:
    """Make everything that the functions need; what stands already is left as it is.

    Parameters
    ----------
    aws_endpoint : str
        Endpoint URL of the AWS API.
    bootstrap_servers : str
        Kafka's.
    functions, tables : Mapping
        What the yaml files say, by name.
    ruleset : str
        The YAML document that is in force where none is deployed yet.

    Returns
    -------
    Resources
        What there is now, made by this call or an earlier one.
    """
    kafka_topics = sorted(
        {spec.trigger.topic for spec in functions.values() if isinstance(spec.trigger, KafkaTrigger)}
    )
    _make_kafka_topics(bootstrap_servers, kafka_topics)
    dynamodb = make_client("dynamodb", aws_endpoint)
    for name, table in tables.items():
        _make_table(dynamodb, name, table)
    queues = _make_queues(aws_endpoint, functions)
    topic_arn = _make_alert_topic(aws_endpoint, queues[ALERT_INBOX])
    _make_buckets(aws_endpoint)
    resources = Resources(
        tables={name: name for name in tables},
        queues=queues,
        topics={"fraud_alerts": topic_arn},
        buckets=BUCKETS,
        kafka_topics=kafka_topics,
    )
    Rulesets(aws_endpoint, resources.rules).deploy_first(ruleset)
    return resources


def _make_kafka_topics(bootstrap_servers: str, names: list[str]) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap_servers})
    config = {"message.timestamp.type": "LogAppendTime"}  # as Terraform sets it
    wanted = [NewTopic(name, TOPIC_PARTITIONS, 1, config=config) for name in names]
    for name, made in (admin.create_topics(wanted) if wanted else {}).items():
        try:
            made.result(_KAFKA_SECONDS)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise ProvisionError(f"Kafka topic {name}: {error.args[0].str()}") from error


def table_request(name: str, table: TableSpec) -> dict[str, Any]:
    """Write what `tables.yaml` says of a table as a CreateTable request."""
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
                "Projection": {"ProjectionType": index.projection},
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
    # Enabling what is enabled is an error, in AWS too.
    state = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]["TimeToLiveStatus"]
    if state == "DISABLED":
        dynamodb.update_time_to_live(
            TableName=name,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": table.time_to_live_attribute},
        )


def _make_queues(aws_endpoint: str, functions: Mapping[str, FunctionSpec]) -> dict[str, str]:
    sqs = make_client("sqs", aws_endpoint)
    names = ["quarantine", ALERT_INBOX, *map(dead_letter_name, functions)]
    attributes = {"MessageRetentionPeriod": str(DEAD_LETTER_RETENTION_SECONDS)}
    return {name: sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"] for name in names}


def _make_alert_topic(aws_endpoint: str, inbox_url: str) -> str:
    sns = make_client("sns", aws_endpoint)
    topic_arn: str = sns.create_topic(Name=ALERT_TOPIC)["TopicArn"]
    answer = make_client("sqs", aws_endpoint).get_queue_attributes(
        QueueUrl=inbox_url, AttributeNames=["QueueArn"]
    )
    sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=answer["Attributes"]["QueueArn"])
    return topic_arn


def _make_buckets(aws_endpoint: str) -> None:
    s3 = make_client("s3", aws_endpoint)
    for name in BUCKETS.values():
        s3.create_bucket(Bucket=name)
    # Spark refuses to watch a folder that is not there, and an empty prefix of S3 is not there without this marker.
    s3.put_object(Bucket=BUCKETS["landing"], Key=LANDING_PREFIX)
