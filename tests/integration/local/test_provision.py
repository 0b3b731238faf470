"""The stack's resources on a real broker and the emulator: made from the files, made once, and found by clients."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka.admin import AdminClient

from local.components.aws_api import AwsApi, make_client
from local.provision import TOPIC_PARTITIONS, provision
from local.resources import ALERT_INBOX
from local.rulesets import Rulesets
from ops.manifests import read_functions, read_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from local.resources import Resources

RULESET = "version: first\n"


@pytest.fixture(scope="module")
def own_aws_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An emulator of this module's own: the names of the stack's resources are fixed."""
    folder: Path = tmp_path_factory.mktemp("aws")
    with AwsApi(folder / "run", folder / "logs") as aws_api:
        yield aws_api.endpoint


@pytest.fixture
def make_all(own_aws_endpoint: str, kafka_bootstrap: str) -> Callable[[], Resources]:
    """Factory: provision from the repository's own files."""
    return lambda: provision(own_aws_endpoint, kafka_bootstrap, read_functions(), read_tables(), RULESET)


@pytest.fixture
def resources(make_all: Callable[[], Resources]) -> Resources:
    return make_all()


@pytest.fixture
def client(own_aws_endpoint: str) -> Callable[[str], Any]:
    return lambda service: make_client(service, own_aws_endpoint)


def test_provisioning_twice_changes_nothing(
    make_all: Callable[[], Resources], client: Callable[[str], Any]
) -> None:
    first = make_all()
    counts = census(client)

    again = make_all()

    assert again == first
    assert census(client) == counts


def test_tables_have_the_streams_and_the_time_to_live_of_their_file(
    resources: Resources, client: Callable[[str], Any]
) -> None:
    dynamodb = client("dynamodb")

    for name, table in read_tables().items():
        made = dynamodb.describe_table(TableName=resources.tables[name])["Table"]
        lives = dynamodb.describe_time_to_live(TableName=resources.tables[name])["TimeToLiveDescription"]
        assert made.get("StreamSpecification", {}).get("StreamViewType") == table.stream_view
        assert lives.get("AttributeName") == table.time_to_live_attribute
        assert {index["IndexName"] for index in made.get("GlobalSecondaryIndexes", [])} == set(table.indexes)


def test_kafka_topic_has_its_partitions(resources: Resources, kafka_bootstrap: str) -> None:
    topics = AdminClient({"bootstrap.servers": kafka_bootstrap}).list_topics(timeout=30).topics

    assert [len(topics[name].partitions) for name in resources.kafka_topics] == [TOPIC_PARTITIONS]


def test_message_of_the_alert_topic_arrives_in_the_inbox_with_its_attributes(
    resources: Resources, client: Callable[[str], Any]
) -> None:
    severity = {"severity": {"DataType": "String", "StringValue": "high"}}

    client("sns").publish(TopicArn=resources.alert_topic_arn, Message="alert", MessageAttributes=severity)

    queue = resources.queues[ALERT_INBOX]
    (message,) = client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"]
    envelope = json.loads(message["Body"])
    assert envelope["Message"] == "alert"
    assert envelope["MessageAttributes"] == {"severity": {"Type": "String", "Value": "high"}}


def test_new_ruleset_is_served_to_a_session_that_had_the_one_before(
    resources: Resources, own_aws_endpoint: str, client: Callable[[str], Any]
) -> None:
    data = client("appconfigdata")
    rulesets = Rulesets(own_aws_endpoint, resources.rules)
    token = data.start_configuration_session(
        ApplicationIdentifier=resources.rules.application,
        EnvironmentIdentifier=resources.rules.environment,
        ConfigurationProfileIdentifier=resources.rules.profile,
    )["InitialConfigurationToken"]
    first = data.get_latest_configuration(ConfigurationToken=token)
    unchanged = data.get_latest_configuration(ConfigurationToken=first["NextPollConfigurationToken"])

    version = rulesets.deploy("version: second\n").version

    latest = data.get_latest_configuration(ConfigurationToken=unchanged["NextPollConfigurationToken"])
    assert first["Configuration"].read().decode() == RULESET
    assert unchanged["Configuration"].read() == b""
    assert latest["Configuration"].read().decode() == "version: second\n"
    assert latest["ContentType"] == "application/x-yaml"
    assert version == 2


def census(client: Callable[[str], Any]) -> dict[str, int]:
    appconfig = client("appconfig")
    (application,) = appconfig.list_applications()["Items"]
    (environment,) = appconfig.list_environments(ApplicationId=application["Id"])["Items"]
    place = {"ApplicationId": application["Id"], "EnvironmentId": environment["Id"]}
    return {
        "tables": len(client("dynamodb").list_tables()["TableNames"]),
        "queues": len(client("sqs").list_queues()["QueueUrls"]),
        "subscriptions": len(client("sns").list_subscriptions()["Subscriptions"]),
        "buckets": len(client("s3").list_buckets()["Buckets"]),
        "deployments": len(appconfig.list_deployments(**place)["Items"]),
        "strategies": len(appconfig.list_deployment_strategies()["Items"]),
    }
