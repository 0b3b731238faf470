"""The yaml files become requests and environments; an error in them is reported with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from local.identity import ConsoleSite
from local.provision import table_request
from local.resources import (
    BUCKETS,
    Resources,
    UnknownReferenceError,
    dead_letter_name,
    resolve_environment,
)
from ops.manifests import (
    FunctionSpec,
    Index,
    Key,
    Reference,
    StreamTrigger,
    TableSpec,
    read_functions,
    read_tables,
)

if TYPE_CHECKING:
    from collections.abc import Callable

CACHE = "redis://127.0.0.1:6379"
KAFKA = "127.0.0.1:9092"


@pytest.fixture
def resources() -> Resources:
    """The resources that the stack makes from the repository's own files."""
    return Resources(
        tables={name: name for name in read_tables()},
        queues={name: f"http://aws/{name}" for name in ("quarantine", "canary", "labels")}
        | {dead_letter_name(name): f"http://aws/{name}-dead-letter" for name in read_functions()},
        topics={"fraud_alerts": "arn:aws:sns:us-east-1:000000000000:fraud-alerts"},
        buckets=BUCKETS
        | {
            dead_letter_name(name): f"{name}-dead"
            for name, spec in read_functions().items()
            if isinstance(spec.trigger, StreamTrigger)
        },
        kafka_topics=["transaction_stream"],
        console=ConsoleSite(
            url="http://127.0.0.1:1",
            issuer="https://issuer",
            discovery_url="http://issuer/openid",
            client_id="client",
            passwords={},
        ),
    )


@pytest.fixture
def function_spec() -> Callable[..., FunctionSpec]:
    """Factory of functions, valid by default."""

    def make(**changes: Any) -> FunctionSpec:
        trigger = StreamTrigger(
            table="rows",
            starting_position="TRIM_HORIZON",
            batch_size=1,
            batch_window_seconds=0,
            parallelization_factor=1,
            report_batch_item_failures=True,
            bisect_on_error=True,
            maximum_retries=0,
            maximum_record_age_seconds=60,
            on_failure="dead_letter_bucket",
        )
        fields: dict[str, Any] = {
            "description": "A stage.",
            "handler": "stage.handler.handler",
            "packages": ["contract", "stage"],
            "runtime": "python3.11",
            "memory_mib": 128,
            "timeout_seconds": 1,
            "reserved_concurrency": 1,
            "trigger": trigger,
            "environment": {},
            "access": [],
            "aws_services": [],
            "name": "alert",
        }
        return FunctionSpec(**(fields | changes))

    return make


@pytest.mark.parametrize("name", sorted(read_functions()))
def test_every_reference_of_every_function_is_resolved(name: str, resources: Resources) -> None:
    spec = read_functions()[name]

    environment = resolve_environment(spec, resources.references(CACHE, KAFKA, spec.name))

    assert list(environment) == list(spec.environment)
    assert [name for name, value in environment.items() if not value] in ([], ["CACHE_REPLICATION_GROUP"])


def test_literal_values_stay_and_references_become_what_the_stack_has(
    resources: Resources, function_spec: Callable[..., FunctionSpec]
) -> None:
    spec = function_spec(environment={"LEVEL": "INFO", "CACHE": Reference("cache.endpoint")})

    environment = resolve_environment(spec, resources.references(CACHE, KAFKA, spec.name))

    assert environment == {"LEVEL": "INFO", "CACHE": CACHE}


def test_unknown_reference_is_reported_with_function_variable_and_reference(
    resources: Resources, function_spec: Callable[..., FunctionSpec]
) -> None:
    spec = function_spec(environment={"MY_TABLE": Reference("table.nowhere")})

    with pytest.raises(
        UnknownReferenceError, match=r"functions/alert/.*MY_TABLE.*'table\.nowhere'"
    ) as caught:
        resolve_environment(spec, resources.references(CACHE, KAFKA, spec.name))

    error = caught.value
    assert (error.function, error.variable, error.reference) == ("alert", "MY_TABLE", "table.nowhere")


def test_table_request_has_keys_indexes_and_stream_of_the_specification() -> None:
    table = TableSpec(
        description="Rows.",
        partition_key=Key("id", "S"),
        sort_key=Key("at", "N"),
        indexes={
            "by_owner": Index(
                partition_key=Key("owner", "S"), sort_key=Key("at", "N"), projection="KEYS_ONLY"
            )
        },
        stream_view="NEW_IMAGE",
    )

    assert table_request("rows", table) == {
        "TableName": "rows",
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [
            {"AttributeName": "id", "KeyType": "HASH"},
            {"AttributeName": "at", "KeyType": "RANGE"},
        ],
        "AttributeDefinitions": [
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "at", "AttributeType": "N"},
            {"AttributeName": "owner", "AttributeType": "S"},
        ],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "by_owner",
                "KeySchema": [
                    {"AttributeName": "owner", "KeyType": "HASH"},
                    {"AttributeName": "at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    }
