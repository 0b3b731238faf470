"""Which IAM requests an API call is: its actions, each on one resource, with the condition keys that AWS documents for it.

An action has the name of the operation unless `OPERATIONS` says otherwise. Its resources are those of AWS's reference: an ARN in
the call's parameters, or the ARN's template filled with them. What a call creates has no id yet, and ``*`` takes its place, as in AWS.
Actions that a call needs beside its own are added: passing a role, tags on what is created, and a customer key's use by the service.
"""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, Any, Final

from tests.terraform.emulator import gateway_requests
from tests.terraform.iam import reference
from tests.terraform.iam.evaluator import Request, as_list

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.terraform.emulator.iam_call import Call, State

PREFIXES: Final = {"stepfunctions": "states", "service-quotas": "servicequotas"}
"""Services whose actions have another prefix than the name of botocore's client."""

OPERATIONS: Final = {
    "budgets:CreateBudget": "budgets:ModifyBudget",
    "budgets:CreateNotification": "budgets:ModifyBudget",
    "budgets:DeleteBudget": "budgets:ModifyBudget",
    "budgets:DeleteNotification": "budgets:ModifyBudget",
    "budgets:DescribeBudget": "budgets:ViewBudget",
    "budgets:DescribeNotificationsForBudget": "budgets:ViewBudget",
    "budgets:DescribeSubscribersForNotification": "budgets:ViewBudget",
    "budgets:UpdateBudget": "budgets:ModifyBudget",
    "lambda:Invoke": "lambda:InvokeFunction",
    "s3:DeleteBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:DeleteBucketLifecycle": "s3:PutLifecycleConfiguration",
    "s3:DeleteBucketOwnershipControls": "s3:PutBucketOwnershipControls",
    "s3:DeletePublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:GetBucketAccelerateConfiguration": "s3:GetAccelerateConfiguration",
    "s3:GetBucketCors": "s3:GetBucketCORS",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetBucketNotificationConfiguration": "s3:GetBucketNotification",
    "s3:GetBucketReplication": "s3:GetReplicationConfiguration",
    "s3:GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "s3:PutBucketNotificationConfiguration": "s3:PutBucketNotification",
    "s3:PutObjectLockConfiguration": "s3:PutBucketObjectLockConfiguration",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
}
"""Operations that IAM calls otherwise. Sources: Amazon S3 user guide, "Required permissions for Amazon S3 API operations"; AWS Lambda
API reference, Invoke; Service Authorization Reference, "AWS Budget Service", whose actions are to view and to modify a budget."""

PARAMETERS: Final = {
    ("cloudwatch", "AlarmName"): ("AlarmNames",),
    ("cloudwatch", "DashboardName"): ("DashboardNames",),
    ("elasticache", "UserGroupId"): ("UserGroupIds",),
    ("elasticache", "UserId"): ("UserIds",),
    ("events", "RuleName"): ("Name", "Rule"),
    ("glue", "ConnectionName"): ("Name",),
    ("glue", "JobName"): ("Name",),
    ("iam", "OidcProviderName"): ("Url",),
    ("iam", "PolicyNameWithPath"): ("PolicyName",),
    ("iam", "RoleNameWithPath"): ("RoleName",),
    ("kafka", "ConfigurationName"): ("Name",),
    ("kms", "Alias"): ("AliasName",),
    ("kms", "KeyId"): ("TargetKeyId",),
    ("lambda", "FunctionName"): ("Resource",),
    ("logs", "LogGroupName"): ("logGroupNamePrefix",),
    ("s3", "BucketName"): ("Bucket",),
    ("s3", "ObjectName"): ("Key",),
    ("sns", "TopicName"): ("Name",),
    ("sqs", "QueueName"): ("QueueUrl",),
    ("states", "StateMachineName"): ("name",),
}
"""Names of the parameters that fill a variable of an ARN, beside the variable's own name."""

EC2_IDS: Final = {
    "network-acl": "acl-",
    "network-interface": "eni-",
    "route-table": "rtb-",
    "security-group": "sg-",
    "security-group-rule": "sgr-",
    "subnet": "subnet-",
    "vpc": "vpc-",
    "vpc-endpoint": "vpce-",
    "vpc-flow-log": "fl-",
}
"""How EC2's ids begin; every id in the parameters is a resource of the call."""

CREATING: Final = ("Create", "Allocate", "Run", "Register", "Authorize")
"""Beginnings of operations that make a resource, which has no id yet."""

ROLES_PASSED_TO: Final = {
    "appconfig": "appconfig.amazonaws.com",
    "backup": "backup.amazonaws.com",
    "cloudtrail": "cloudtrail.amazonaws.com",
    "ec2": "vpc-flow-logs.amazonaws.com",
    "events": "events.amazonaws.com",
    "glue": "glue.amazonaws.com",
    "guardduty": "malware-protection-plan.guardduty.amazonaws.com",
    "lambda": "lambda.amazonaws.com",
    "sns": "sns.amazonaws.com",
    "states": "states.amazonaws.com",
}
"""The service to which a role in a call's parameters is passed."""

KEY_USES: Final = {
    "dynamodb:CreateTable": ("kms:CreateGrant", "kms:DescribeKey"),
    "elasticache:CreateReplicationGroup": ("kms:CreateGrant", "kms:DescribeKey"),
    "kafka:CreateCluster": ("kms:CreateGrant", "kms:DescribeKey"),
    "kafka:CreateClusterV2": ("kms:CreateGrant", "kms:DescribeKey"),
    "s3:GetObject": ("kms:Decrypt",),
    "s3:PutObject": ("kms:GenerateDataKey",),
}
"""What a service needs of a customer key in the name of whoever calls it. Sources: Amazon DynamoDB developer guide, "DynamoDB encryption at
rest: usage notes"; Amazon ElastiCache user guide, "At-Rest Encryption"; the Service Authorization Reference's dependent actions of MSK; Amazon
S3 user guide, "Using server-side encryption with AWS KMS keys"."""

ROLE: Final = re.compile(r"arn:[a-z-]+:iam::\d{12}:role/.+")
KEY: Final = re.compile(r"arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key/.+")


def iam_requests(call: Call, state: State) -> list[Request]:
    """List what a caller must be allowed for a call.

    Raises
    ------
    LookupError
        If AWS's reference has no such action: the emulator must then be taught the operation's action.
    """
    own = {"aws:RequestedRegion": call.region, **_request_tags(call.parameters), **_service_keys(call)}
    if call.service == gateway_requests.SERVICE:
        return gateway_requests.gateway_requests(call, own, state)
    action = reference.action(_action(call))
    found = [
        Request(action.name, arn, own | state.keys_of(arn))
        for arn in _resources(call, action, state) or ["*"]
    ]
    return [
        *found,
        *_deleted_objects(call, own),
        *_last_snapshot(call, own, state),
        *_passed_roles(call),
        *_tags_on_creation(call, found),
        *_key_uses(call, state),
    ]


def _action(call: Call) -> str:
    name = f"{PREFIXES.get(call.service, call.service)}:{call.operation}"
    if name == "s3:DeleteObject" and call.parameters.get("VersionId"):
        return "s3:DeleteObjectVersion"
    if name == "s3:GetObject" and call.parameters.get("VersionId"):
        return "s3:GetObjectVersion"
    if name == "s3:DeleteObjects":
        return "s3:DeleteObject"
    return OPERATIONS.get(name, name)


def _resources(call: Call, action: reference.Action, state: State) -> list[str]:
    values = [value for _, value in _leaves(call.parameters)]
    whole: list[str] = []
    partial: list[str] = []
    for kind in action.resource_types:
        if kind.name == "rule-on-custom-event-bus":
            continue  # all rules are on the default bus
        named = [value for value in values if value.startswith("arn:") and kind.matches(value)]
        filled = named or _filled(call, kind, state)
        (whole if all("*" not in arn for arn in filled) else partial).extend(
            filled if filled and (kind.is_required or "*" not in filled[0]) else []
        )
    is_creating = call.operation.startswith(CREATING)
    return sorted(set(whole + (partial if is_creating or not whole else [])))


def _filled(call: Call, kind: reference.ResourceType, state: State) -> list[str]:
    """The ARN's template, filled from the parameters; ``*`` where a parameter is missing."""
    service = PREFIXES.get(call.service, call.service)
    fixed = {"Partition": "aws", "Region": call.region, "Account": call.account}
    choices: dict[str, list[str]] = {name: [value] for name, value in fixed.items()}
    for variable in kind.variables:
        if service == "ec2":
            choices[variable] = _ec2_ids(call, kind.name, state) or ["*"]
            continue
        if kind.name == "ScalableTarget":
            choices[variable] = ["*"]  # its id is made by the service, and is no parameter
            continue
        names = {variable.lower(), *(name.lower() for name in PARAMETERS.get((service, variable), ()))}
        outer = {name: value for name, value in call.parameters.items() if not isinstance(value, dict)}
        given = [value for name, value in _leaves(outer) if name.lower() in names]
        given = given or [value for name, value in _leaves(call.parameters) if name.lower() in names]
        choices[variable] = [_plain(kind, value) for value in given] or ["*"]
    arns = []
    for values in product(*choices.values()):
        arn = kind.template
        for variable, value in zip(choices, values, strict=True):
            arn = arn.replace(f"${{{variable}}}", value)
        arns.append(arn)
    return arns


def _plain(kind: reference.ResourceType, value: str) -> str:
    """A name as an ARN has it: of a queue's URL the last part, of an alias what follows ``alias/``."""
    if kind.name == "queue":
        return value.rpartition("/")[2]
    return value.removeprefix("https://").removeprefix("alias/")


def _ec2_ids(call: Call, kind: str, state: State) -> list[str]:
    start = EC2_IDS.get(kind)
    if start is None:
        return []
    values = [state.resource_behind(value) for _, value in _leaves(call.parameters)]
    return sorted({value for value in values if re.fullmatch(f"{start}[0-9a-f]{{8,17}}", value)})


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every text of the parameters with the name that it has, at any depth."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, str(key))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(inner, name)
    elif isinstance(value, str):
        yield name, value


def _request_tags(parameters: dict[str, Any]) -> dict[str, str | list[str]]:
    tags: dict[str, str] = {}
    for name, value in parameters.items():
        if name.lower() in {"tags", "taglist", "userpooltags"}:
            tags |= _tags(value)
        if name.lower() in {"tagspecifications", "tagspecification"}:
            for specification in as_list(value):
                tags |= _tags(specification.get("Tags", []))
    if not tags:
        return {}
    return {f"aws:RequestTag/{key}": value for key, value in tags.items()} | {"aws:TagKeys": sorted(tags)}


def _tags(value: Any) -> dict[str, str]:
    if isinstance(value, dict):
        return {str(key): str(inner) for key, inner in value.items()}
    lowered = [
        {str(key).lower().removeprefix("tag"): inner for key, inner in entry.items()} for entry in value or []
    ]
    return {str(entry["key"]): str(entry.get("value", "")) for entry in lowered}


def _service_keys(call: Call) -> dict[str, str | list[str]]:
    """Condition keys that are parameters of the call."""
    given = call.parameters
    keys: dict[str, str | list[str]] = {}
    match f"{call.service}:{call.operation}":
        case "iam:CreateRole" | "iam:PutRolePermissionsBoundary" if given.get("PermissionsBoundary"):
            keys["iam:PermissionsBoundary"] = given["PermissionsBoundary"]
        case "iam:AttachRolePolicy" | "iam:DetachRolePolicy":
            keys["iam:PolicyARN"] = given["PolicyArn"]
        case "iam:CreateServiceLinkedRole":
            keys["iam:AWSServiceName"] = given["AWSServiceName"]
        case "lambda:AddPermission":
            keys["lambda:Principal"] = given["Principal"]
        case "lambda:CreateEventSourceMapping" | "lambda:UpdateEventSourceMapping" if given.get(
            "FunctionName"
        ):
            keys["lambda:FunctionArn"] = given["FunctionName"]
    return keys


def _deleted_objects(call: Call, own: dict[str, str | list[str]]) -> Iterator[Request]:
    """Each object that one call deletes."""
    if (call.service, call.operation) != ("s3", "DeleteObjects"):
        return
    for entry in call.parameters.get("Delete", {}).get("Objects", []):
        action = "s3:DeleteObjectVersion" if entry.get("VersionId") else "s3:DeleteObject"
        resource = f"arn:aws:s3:::{call.parameters['Bucket']}/{entry['Key']}"
        yield Request(action, resource, own)
        if call.parameters.get("BypassGovernanceRetention"):
            yield Request("s3:BypassGovernanceRetention", resource, own)


def _last_snapshot(call: Call, own: dict[str, str | list[str]], state: State) -> Iterator[Request]:
    """The right to the snapshot that a deleted cache leaves. Source: ElastiCache's API reference, DeleteReplicationGroup."""
    snapshot = call.parameters.get("FinalSnapshotIdentifier")
    if (call.service, call.operation) != ("elasticache", "DeleteReplicationGroup") or not snapshot:
        return
    arn = f"arn:aws:elasticache:{call.region}:{call.account}"
    for resource in (
        f"{arn}:replicationgroup:{call.parameters['ReplicationGroupId']}",
        f"{arn}:snapshot:{snapshot}",
    ):
        yield Request("elasticache:CreateSnapshot", resource, own | state.keys_of(resource))


def _passed_roles(call: Call) -> Iterator[Request]:
    service = ROLES_PASSED_TO.get(PREFIXES.get(call.service, call.service))
    if service is None:
        return
    for role in sorted({value for _, value in _leaves(call.parameters) if ROLE.fullmatch(value)}):
        yield Request(
            "iam:PassRole", role, {"iam:PassedToService": service, "aws:RequestedRegion": call.region}
        )


def _tags_on_creation(call: Call, found: list[Request]) -> Iterator[Request]:
    """The right to tag what a call creates with tags, where AWS's reference names it as a dependent action."""
    context = dict(found[0].context)
    if not any(name.startswith("aws:RequestTag/") for name in context):
        return
    if call.service == "ec2" and call.operation != "CreateTags":
        for specification in call.parameters.get("TagSpecifications", []):
            arn = f"arn:aws:ec2:{call.region}:{call.account}:{specification['ResourceType']}/*"
            yield Request("ec2:CreateTags", arn, context | {"ec2:CreateAction": call.operation})
        return
    for dependent in sorted(reference.action(found[0].action).dependent_actions):
        kinds = reference.action(dependent).resource_types if re.search(r":(Add)?Tag", dependent) else ()
        for request in found:
            if any(kind.matches(request.resource) for kind in kinds):
                yield Request(dependent, request.resource, dict(request.context))


def _key_uses(call: Call, state: State) -> Iterator[Request]:
    """What the service does with a customer key for the caller: through the service, so with ``kms:ViaService``."""
    keys = sorted({value for _, value in _leaves(call.parameters) if KEY.fullmatch(value)})
    if call.service == "s3" and call.operation in {"GetObject", "PutObject"}:
        key = state.key_of_bucket(call.parameters["Bucket"])
        keys = [key] if key else []
    for key in keys:
        for action in KEY_USES.get(f"{call.service}:{call.operation}", ()):
            context: dict[str, str | list[str]] = {
                "kms:ViaService": f"{call.service}.{call.region}.amazonaws.com",
                "aws:RequestedRegion": call.region,
            }
            if action == "kms:CreateGrant":
                context["kms:GrantIsForAWSResource"] = "true"
            yield Request(action, key, context | state.keys_of(key))
