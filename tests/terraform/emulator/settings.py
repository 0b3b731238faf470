"""Settings that an API returns as they were sent, and moto drops."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final

from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.glue.models import FakeConnection, FakeJob
from moto.glue.responses import GlueResponse
from moto.sns.responses import SNSResponse

if TYPE_CHECKING:
    from moto.sns.models import Topic

JOB_SETTINGS: Final = ("MaintenanceWindow", "JobMode", "JobRunQueuingEnabled")


def topic_attributes() -> None:
    """SNS: delivery logging, signature version and tracing of a topic."""
    get, put = SNSResponse.get_topic_attributes, SNSResponse.set_topic_attributes

    def kept(topic: Topic) -> dict[str, str]:
        attributes: dict[str, str] = topic.__dict__.setdefault("attributes_as_sent", {})
        return attributes

    def create_topic(self: SNSResponse) -> Any:
        answer = make(self)
        # A FIFO topic's booleans are moto's own.
        sent = {
            k: v
            for k, v in (self._get_param("Attributes") or {}).items()
            if not k.startswith(("Fifo", "Content"))
        }
        result: Any = answer.result
        kept(self.backend.get_topic(result["TopicArn"])).update(sent)
        return answer

    def set_topic_attributes(self: SNSResponse) -> Any:
        topic = self.backend.get_topic(self._get_param("TopicArn"))
        kept(topic)[self._get_param("AttributeName")] = self._get_param("AttributeValue")
        return put(self)

    def get_topic_attributes(self: SNSResponse) -> Any:
        answer = get(self)
        result: Any = answer.result
        shown = result["Attributes"]
        for name, value in kept(self.backend.get_topic(self._get_param("TopicArn"))).items():
            shown.setdefault(name, value)
        return answer

    make = SNSResponse.create_topic
    SNSResponse.create_topic = create_topic  # type: ignore[method-assign]
    SNSResponse.set_topic_attributes = set_topic_attributes  # type: ignore[method-assign]
    SNSResponse.get_topic_attributes = get_topic_attributes  # type: ignore[method-assign]


def glue_settings() -> None:
    """Glue: a connection's type, a job's maintenance window, and the execution class that only a batch job has.

    A job can also be changed, and a connection deleted.
    """
    connection, job, create = FakeConnection.as_dict, FakeJob.as_dict, GlueResponse.create_job

    def connection_as_dict(self: FakeConnection, hide_password: bool = False) -> dict[str, Any]:
        return connection(self, hide_password) | {
            "ConnectionType": self.connection_input.get("ConnectionType")
        }

    def job_as_dict(self: FakeJob) -> dict[str, Any]:
        shown: dict[str, Any] = job(self) | self.__dict__.get("settings_as_sent", {})
        if shown["Command"].get("Name") == "gluestreaming":
            del shown["ExecutionClass"]
        return shown

    def create_job(self: GlueResponse) -> Any:
        answer = create(self)
        made: Any = self.glue_backend.get_job(self._get_param("Name"))
        made.settings_as_sent = {
            name: self._get_param(name) for name in JOB_SETTINGS if self._get_param(name)
        }
        return answer

    def update_job(self: GlueResponse) -> ActionResult:
        changed: Any = self.glue_backend.get_job(self._get_param("JobName"))
        sent = self._get_param("JobUpdate")
        for name, value in sent.items():
            setattr(changed, camelcase_to_underscores(name), value)
        changed.settings_as_sent = {name: sent[name] for name in JOB_SETTINGS if sent.get(name)}
        return ActionResult({"JobName": changed.name})

    def delete_connection(self: GlueResponse) -> ActionResult:
        self.glue_backend.connections.pop(self._get_param("ConnectionName"))
        return ActionResult({})

    GlueResponse.delete_connection = delete_connection  # type: ignore[attr-defined] # moto has none
    FakeConnection.as_dict = connection_as_dict  # type: ignore[method-assign]
    FakeJob.as_dict = job_as_dict  # type: ignore[method-assign]
    GlueResponse.create_job = create_job  # type: ignore[method-assign]
    GlueResponse.update_job = update_job  # type: ignore[attr-defined] # moto has none


def rule_descriptions() -> None:
    """EC2: the description of a security group's rule whose peer is a group or a prefix list."""
    make = SecurityGroupRule.__init__

    signature = inspect.signature(make)

    def initialise(self: SecurityGroupRule, *args: Any, **kwargs: Any) -> None:
        make(self, *args, **kwargs)
        given = signature.bind(self, *args, **kwargs).arguments
        self.__dict__["prefix_list"] = given.get("prefix_list_id") or {}

    def description(self: SecurityGroupRule) -> str | None:
        peers = (self.ip_range, self.source_group, self.__dict__["prefix_list"])
        return next((peer["Description"] for peer in peers if peer.get("Description")), None)

    SecurityGroupRule.__init__ = initialise  # type: ignore[method-assign]
    SecurityGroupRule.description = property(description)  # type: ignore[method-assign, assignment]


def on_demand_maximum() -> None:
    """DynamoDB: the cap on the request units of an on-demand table and of its indexes."""
    create, describe = DynamoHandler.create_table, Table.describe

    def create_table(self: DynamoHandler) -> Any:
        answer = create(self)
        made: Any = self.dynamodb_backend.get_table(self.body["TableName"])
        made.sent_caps = {
            entry.get("IndexName", ""): entry["OnDemandThroughput"]
            for entry in [self.body, *self.body.get("GlobalSecondaryIndexes", [])]
            if entry.get("OnDemandThroughput")
        }
        return answer

    def shown(self: Table, base_key: str = "TableDescription") -> dict[str, Any]:
        description: dict[str, Any] = describe(self, base_key)
        caps = self.__dict__.get("sent_caps", {})
        for entry in [description[base_key], *description[base_key].get("GlobalSecondaryIndexes", [])]:
            if cap := caps.get(entry.get("IndexName", "")):
                entry["OnDemandThroughput"] = cap
        return description

    DynamoHandler.create_table = create_table  # type: ignore[method-assign]
    Table.describe = shown  # type: ignore[method-assign]


def install() -> None:
    """Install all of them."""
    for patch in (topic_attributes, glue_settings, rule_descriptions, on_demand_maximum):
        patch()
