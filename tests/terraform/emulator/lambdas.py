"""AWS Lambda: event source mappings of MSK, and the settings of a function that moto drops.

No function runs. Terraform invokes one, topic_admin; the answer is that every requested topic exists as requested.
"""

from __future__ import annotations

import json
from typing import Any, Final

from moto.awslambda import models
from moto.awslambda_simple import models as simple

KAFKA_BATCH: Final = 100
"""Records in a batch if a mapping of a Kafka topic does not set it."""

DROPPED_BY_MOTO: Final = ("DeadLetterConfig", "LoggingConfig")
"""Settings of a function that the API stores and returns, and moto drops."""


class Function(models.LambdaFunction):
    """A function that keeps all of its settings."""

    def __init__(self, account_id: str, spec: dict[str, Any], region: str, version: str | int = 1) -> None:
        super().__init__(account_id, spec, region, version)
        self.more_settings = {key: spec[key] for key in DROPPED_BY_MOTO if spec.get(key)}

    def get_configuration(self, on_create: bool = False) -> dict[str, Any]:
        """Show the settings; without a log group of its own, a function has Lambda's default one."""
        shown = super().get_configuration(on_create) | self.more_settings
        shown["LoggingConfig"] = {
            "LogFormat": "Text",
            "LogGroup": self.logs_group_name,
            **self.more_settings.get("LoggingConfig", {}),
        }
        return shown

    def update_configuration(self, config_updates: dict[str, Any]) -> dict[str, Any]:
        """Change settings, including those that moto drops."""
        self.more_settings |= {key: config_updates[key] for key in DROPPED_BY_MOTO if config_updates.get(key)}
        if config_updates.get("TracingConfig"):
            self.tracing_config = config_updates["TracingConfig"]
        if config_updates.get("EphemeralStorage"):
            self.ephemeral_storage = config_updates["EphemeralStorage"]["Size"]
        return super().update_configuration(config_updates)


class KafkaMapping(models.EventSourceMapping):
    """A mapping of a topic of an MSK cluster, which moto does not accept as a source."""

    @property
    def event_source_arn(self) -> str:
        """ARN of the cluster."""
        return self._event_source_arn

    @event_source_arn.setter
    def event_source_arn(self, event_source_arn: str) -> None:
        self._event_source_arn = event_source_arn

    @property
    def batch_size(self) -> int:
        """Maximum of records in one invocation."""
        return self._batch_size

    @batch_size.setter
    def batch_size(self, new_batch_size: int | None) -> None:
        self._batch_size = KAFKA_BATCH if new_batch_size is None else int(new_batch_size)


class FunctionsBackend(simple.LambdaSimpleBackend):
    """moto's functions, and mappings of Kafka topics beside those of streams and queues."""

    def create_event_source_mapping(self, spec: dict[str, Any]) -> models.EventSourceMapping:
        """Store a mapping; it is enabled at once, and names the alias that it was created for."""
        if ":kafka:" not in (spec.get("EventSourceArn") or ""):
            made = super().create_event_source_mapping(spec)
            made.function_arn = spec["FunctionName"]  # moto would show the version behind the alias
            return made
        self.get_function(spec["FunctionName"])
        place = {"RegionName": self.region_name, "AccountId": self.account_id}
        place["FunctionArn"] = spec["FunctionName"]
        mapping = KafkaMapping(spec | place)  # type: ignore[abstract] # CloudFormation's part is not used
        self._event_source_mappings[mapping.uuid] = mapping
        return mapping

    def update_event_source_mapping(
        self, uuid: str, spec: dict[str, Any]
    ) -> models.EventSourceMapping | None:
        """Change a mapping; it still names its alias."""
        changed = super().update_event_source_mapping(uuid, spec)
        if changed is not None and spec.get("FunctionName"):
            changed.function_arn = spec["FunctionName"]
        return changed

    def invoke(
        self, function_name: str, qualifier: str | None, body: Any, headers: Any, response_headers: Any
    ) -> str | bytes | None:
        """Answer as topic_admin does if every topic exists already."""
        self.get_function(function_name, qualifier)
        requested = json.loads(body or "{}").get("topics", [])
        topics = {
            t["name"]: {"created": False, "partitions": t["partitions"], "configs_set": []} for t in requested
        }
        return json.dumps({"topics": topics}).encode()


def install() -> None:
    """Serve functions from here."""
    models.LambdaFunction = Function  # type: ignore[misc] # what create_function makes
    simple.lambda_simple_backends.backend = FunctionsBackend
