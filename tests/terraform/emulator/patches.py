"""Small fixes of differences between moto and AWS that Terraform notices, a function each."""

from __future__ import annotations

import json
import logging
import threading
from collections import OrderedDict
from typing import Any, Final

import xmltodict  # type: ignore[import-untyped]
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult, BaseResponse
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler
from moto.iam import access_control
from moto.s3.exceptions import NoSuchLifecycleConfiguration
from moto.s3.models import FakeBucket
from moto.s3.responses import S3Response
from moto.sqs import models as sqs

KEPT_ANSWERS: Final = 500
"""How many of the last calls can be answered again. A client repeats a call with a lost answer within seconds."""


def autoscaling_tags() -> None:
    """Application Auto Scaling stores the tags of a target; moto has no call for them."""
    tags: dict[str, dict[str, str]] = {}
    register = ApplicationAutoScalingResponse.register_scalable_target

    def register_scalable_target(self: ApplicationAutoScalingResponse) -> str:
        answer = register(self)
        arn = json.loads(answer)["ScalableTargetARN"]
        tags.setdefault(arn, {}).update(self._get_param("Tags") or {})
        return answer

    def list_tags_for_resource(self: ApplicationAutoScalingResponse) -> str:
        return json.dumps({"Tags": tags.get(self._get_param("ResourceARN"), {})})

    ApplicationAutoScalingResponse.register_scalable_target = register_scalable_target  # type: ignore[method-assign]
    ApplicationAutoScalingResponse.list_tags_for_resource = list_tags_for_resource  # type: ignore[attr-defined]


def queue_settings() -> None:
    """SQS returns redrive policies as they were sent, and has a policy of who may use a dead-letter queue.

    A setting that a call does not name stays as it is; moto would drop the queue's policy.
    """
    change = sqs.Queue._set_attributes
    plain: Any = sqs.Queue.attributes  # a property, whatever its declaration says
    get = sqs.SQSBackend.get_queue_attributes

    def attributes(self: sqs.Queue) -> dict[str, Any]:
        shown: dict[str, Any] = plain.fget(self)
        if self.redrive_policy:
            shown["RedrivePolicy"] = json.dumps(self.redrive_policy, separators=(",", ":"))
        if allowed := getattr(self, "redrive_allow_policy", None):
            shown["RedriveAllowPolicy"] = allowed
        return shown

    def get_queue_attributes(
        self: sqs.SQSBackend, queue_name: str, attribute_names: list[str]
    ) -> dict[str, Any]:
        if attribute_names != ["RedriveAllowPolicy"]:
            return get(self, queue_name, attribute_names)
        allowed = getattr(self.get_queue(queue_name), "redrive_allow_policy", None)
        return {"RedriveAllowPolicy": allowed} if allowed else {}

    def set_attributes(self: sqs.Queue, attributes: dict[str, Any], now: float | None = None) -> None:
        policy = getattr(self, "policy", None)
        change(self, attributes, now)
        if "Policy" not in attributes:
            self.policy = policy

    sqs.Queue._set_attributes = set_attributes  # type: ignore[method-assign]
    sqs.Queue.attributes = property(attributes)  # type: ignore[method-assign, assignment]
    sqs.SQSBackend.get_queue_attributes = get_queue_attributes  # type: ignore[method-assign]


def conditional_denials() -> None:
    """A bucket policy denies what meets its conditions (no TLS, another key); moto ignores conditions and would deny everything."""
    permitted = access_control.IAMPolicyStatement.is_action_permitted

    def is_action_permitted(self: access_control.IAMPolicyStatement, *args: Any, **kwargs: Any) -> Any:
        if self._statement.get("Effect") == "Deny" and self._statement.get("Condition"):
            return access_control.PermissionResult.NEUTRAL
        return permitted(self, *args, **kwargs)

    access_control.IAMPolicyStatement.is_action_permitted = is_action_permitted  # type: ignore[method-assign]


def bucket_lifecycle() -> None:
    """S3 returns a lifecycle as it was sent; moto drops how many newer versions are kept, and the provider waits for that setting."""
    check = FakeBucket.set_lifecycle

    def set_lifecycle(self: FakeBucket, rules: list[dict[str, Any]]) -> None:
        check(self, rules)
        self.sent_lifecycle = rules  # type: ignore[attr-defined]

    def get_bucket_lifecycle(self: S3Response) -> tuple[int, dict[str, str], str]:
        bucket = self.backend.head_bucket(self.bucket_name)
        if not bucket.rules:
            raise NoSuchLifecycleConfiguration(bucket_name=self.bucket_name)
        document = {"@xmlns": "http://s3.amazonaws.com/doc/2006-03-01/", "Rule": bucket.sent_lifecycle}  # type: ignore[attr-defined]
        headers = {"x-amz-transition-default-minimum-object-size": "all_storage_classes_128K"}
        return 200, headers, xmltodict.unparse({"LifecycleConfiguration": document})

    FakeBucket.set_lifecycle = set_lifecycle  # type: ignore[method-assign]
    S3Response.get_bucket_lifecycle = get_bucket_lifecycle  # type: ignore[method-assign]


def bucket_events() -> None:
    """S3 returns that a bucket's events go to EventBridge; moto stores it and does not return it."""
    get = S3Response.get_bucket_notification

    def get_bucket_notification(self: S3Response) -> Any:
        kept = self.backend.get_bucket_notification_configuration(self.bucket_name)
        if kept is None or kept.event_bridge is None:
            return get(self)
        others = [*kept.topic, *kept.queue, *kept.cloud_function]
        assert others == [], "no bucket of ours has both"
        document = {"@xmlns": "http://s3.amazonaws.com/doc/2006-03-01/", "EventBridgeConfiguration": None}
        return 200, {}, xmltodict.unparse({"NotificationConfiguration": document})

    S3Response.get_bucket_notification = get_bucket_notification  # type: ignore[method-assign]


def log_delivery() -> None:
    """S3 delivers access logs if the bucket's policy allows its service; moto fails at a principal that is `*`."""

    def allowed(target_bucket: FakeBucket, target_prefix: str | None) -> bool:
        statements = json.loads(target_bucket.policy or b"{}").get("Statement", [])
        allowing = [s for s in statements if s["Effect"] == "Allow" and isinstance(s["Principal"], dict)]
        objects = f"arn:aws:s3:::{target_bucket.name}/"
        return any(
            s["Principal"].get("Service") == "logging.s3.amazonaws.com"
            and "s3:PutObject" in s["Action"]
            and s["Resource"] in (f"{objects}*", f"{objects}{target_prefix or ''}*")
            for s in allowing
        )

    FakeBucket._log_permissions_enabled_policy = staticmethod(allowed)  # type: ignore[method-assign]


def table_class() -> None:
    """DynamoDB stores the class of a table and shows it; moto drops it."""
    create, describe = DynamoHandler.create_table, Table.describe
    classes: dict[str, str] = {}

    def create_table(self: DynamoHandler) -> Any:
        classes[self.body["TableName"]] = self.body.get("TableClass") or "STANDARD"
        return create(self)

    def described(self: Table, base_key: str = "TableDescription") -> dict[str, Any]:
        shown: dict[str, Any] = describe(self, base_key)
        shown[base_key]["TableClassSummary"] = {"TableClass": classes[self.name]}
        return shown

    DynamoHandler.create_table = create_table  # type: ignore[method-assign]
    Table.describe = described  # type: ignore[method-assign]


def composite_alarms() -> None:
    """CloudWatch has composite alarms; moto stores their fields but has no call that creates one."""

    def put_composite_alarm(self: CloudWatchResponse) -> ActionResult:
        answer = self.put_metric_alarm()
        alarm: Any = self.cloudwatch_backend.alarms[self._get_param("AlarmName")]
        alarm.alarm_rule = alarm.rule
        alarm.actions_suppressor = self._get_param("ActionsSuppressor")
        alarm.actions_suppressor_wait_period = self._get_int_param("ActionsSuppressorWaitPeriod")
        alarm.actions_suppressor_extension_period = self._get_int_param("ActionsSuppressorExtensionPeriod")
        return answer

    CloudWatchResponse.put_composite_alarm = put_composite_alarm  # type: ignore[attr-defined]


def one_call_at_a_time() -> None:
    """Serve one call after another: moto's models are not thread-safe, and Terraform sends ten calls at a time.

    What moto lacks or fails at is refused at once, because the provider would repeat a server error for ten minutes. If an
    answer was lost on the way, which happens on a busy machine, the repeated call gets the same answer and is not executed again.
    """
    call, turn = BaseResponse.call_action, threading.RLock()
    answered: OrderedDict[str, Any] = OrderedDict()

    def call_action(self: BaseResponse) -> Any:
        headers = {name.lower(): value for name, value in self.headers.items()}
        invocation = str(headers.get("amz-sdk-invocation-id", ""))  # the same for every attempt of one call
        with turn:
            if invocation in answered:
                logging.getLogger(__name__).warning("answered again: %s", self._get_action())
                return answered[invocation]
            try:
                answer = call(self)
            except (NotImplementedError, AttributeError, KeyError, TypeError) as error:
                logging.getLogger(__name__).exception("the emulator cannot do this")
                return 400, {}, f"the emulator: {error!r}"
            if invocation and answer[0] < 300:
                answered[invocation] = answer
                if len(answered) > KEPT_ANSWERS:
                    answered.popitem(last=False)
            return answer

    BaseResponse.call_action = call_action  # type: ignore[method-assign]


def install() -> None:
    """Install all fixes."""
    for patch in (
        autoscaling_tags,
        queue_settings,
        conditional_denials,
        bucket_lifecycle,
        bucket_events,
        log_delivery,
        table_class,
        composite_alarms,
        one_call_at_a_time,
    ):
        patch()
