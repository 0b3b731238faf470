"""What the CI roles may and may not do, evaluated on the policies that bootstrap created, with AWS's evaluation of policies.

The life of an environment was lived with them: each call of it was evaluated. Here the same policies meet requests that nobody must be
able to make. Each forbidden request has the tags and the service that would help it most.
"""

from __future__ import annotations

import json
from itertools import product
from typing import TYPE_CHECKING

import pytest

from tests.terraform.iam import reference
from tests.terraform.iam.evaluator import Policy, Request, as_list, decide, trusts
from tests.terraform.life_cycle import LIFE_SECONDS, TOKEN_OF_DEV, TOKEN_OF_MAIN
from tests.terraform.workspace import ACCOUNT

if TYPE_CHECKING:
    from tests.terraform.life_cycle import Life

pytestmark = [pytest.mark.life_cycle, pytest.mark.timeout(LIFE_SECONDS + 60)]

PLAN, APPLY = "fraud-dev-plan", "fraud-dev-apply"
ISSUER = "token.actions.githubusercontent.com"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
LIMIT = 6144
"""Characters of a managed policy without white space. Source: IAM user guide, "IAM and AWS STS quotas"."""

KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
BUCKETS = {
    name: f"arn:aws:s3:::fraud-dev-{name}-{ACCOUNT}"
    for name in ("landing", "quarantine", "work", "history-export")
}
STATES = f"arn:aws:s3:::fraud-terraform-state-{ACCOUNT}"


def of(service: str, resource: str) -> str:
    return f"arn:aws:{service}:us-east-1:{ACCOUNT}:{resource}"


TABLE = of("dynamodb", "table/fraud-dev-transaction_history")
CHECKPOINTS = of("dynamodb", "table/fraud-dev-profile_checkpoints")
QUEUE = of("sqs", "fraud-dev-quarantine")

READS = [
    *product(
        (
            "s3:GetObject",
            "s3:GetObjectVersion",
            "s3:GetObjectTorrent",
            "s3:GetObjectAttributes",
            "s3:RestoreObject",
        ),
        (
            f"{BUCKETS['landing']}/transactions/a.jsonl",
            f"{BUCKETS['quarantine']}/ingestion/b.jsonl",
            f"{BUCKETS['work']}/checkpoints/c",
            f"{BUCKETS['history-export']}/exports/AWSDynamoDB/d/data/e.json.gz",
            f"{STATES}/prod/terraform.tfstate",
        ),
    ),
    *product(
        (
            "dynamodb:BatchGetItem",
            "dynamodb:CreateBackup",
            "dynamodb:ExportTableToPointInTime",
            "dynamodb:GetItem",
            "dynamodb:PartiQLSelect",
            "dynamodb:Query",
            "dynamodb:RestoreTableToPointInTime",
            "dynamodb:Scan",
        ),
        (TABLE, CHECKPOINTS),
    ),
    ("dynamodb:RestoreTableFromBackup", f"{TABLE}/backup/1"),
    ("dynamodb:GetRecords", f"{TABLE}/stream/2026-01-01T00:00:00.000"),
    ("dynamodb:GetShardIterator", f"{TABLE}/stream/2026-01-01T00:00:00.000"),
    ("sqs:ReceiveMessage", QUEUE),
    ("sqs:StartMessageMoveTask", QUEUE),
    ("elasticache:Connect", of("elasticache", "replicationgroup:fraud-dev-profiles")),
    ("elasticache:CopySnapshot", of("elasticache", "snapshot:fraud-dev-profiles")),
    ("kafka-cluster:Connect", of("kafka", "cluster/fraud-dev/1-2")),
    ("kafka-cluster:ReadData", of("kafka", "topic/fraud-dev/1-2/transaction_stream")),
    ("kms:GenerateMac", KEY),
    ("lambda:InvokeAsync", of("lambda", "function:fraud-dev-card-token")),
    ("lambda:InvokeFunction", of("lambda", "function:fraud-dev-card-token:live")),
    ("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/fraud-dev-list-editors"),
    ("kms:Decrypt", KEY),
    ("logs:GetLogEvents", of("logs", "log-group:/aws/lambda/fraud-dev-score:log-stream:1")),
    ("logs:StartQuery", of("logs", "log-group:/aws/lambda/fraud-dev-score")),
]
"""Ways of reading payments, card tokens or states of others."""

OPENINGS = [
    ("dynamodb:EnableKinesisStreamingDestination", TABLE),
    ("dynamodb:PutResourcePolicy", TABLE),
    ("ec2:CreateInternetGateway", of("ec2", "internet-gateway/*")),
    ("ec2:CreateNatGateway", of("ec2", "natgateway/*")),
    ("ec2:CreateVpcPeeringConnection", of("ec2", "vpc/vpc-1")),
    ("kafka:CreateVpcConnection", of("kafka", "cluster/fraud-dev/1-2")),
    ("kafka:PutClusterPolicy", of("kafka", "cluster/fraud-dev/1-2")),
    ("kms:CreateGrant", KEY),
    ("lambda:AddPermission", of("lambda", "function:fraud-dev-score")),
    ("lambda:CreateFunctionUrlConfig", of("lambda", "function:fraud-dev-score")),
    ("lambda:InvokeFunction", of("lambda", "function:fraud-dev-score")),
    ("logs:PutSubscriptionFilter", of("logs", "log-group:/aws/lambda/fraud-dev-score")),
    ("s3:PutAccessPointPolicy", of("s3", "accesspoint/a")),
    ("s3:PutBucketAcl", BUCKETS["landing"]),
    ("s3:PutReplicationConfiguration", BUCKETS["landing"]),
    ("sns:AddPermission", of("sns", "fraud-dev-fraud-alerts")),
    ("sqs:AddPermission", QUEUE),
]
"""Ways of giving payments to somebody else."""

OF_OTHERS = [
    ("appconfig:StartDeployment", of("appconfig", "application/1a2b3c4/environment/5d6e7f8")),
    ("cloudwatch:DeleteAlarms", of("cloudwatch", "alarm:fraud-prod-offset-lag")),
    ("dynamodb:DeleteTable", of("dynamodb", "table/fraud-prod-transaction_history")),
    ("ec2:AuthorizeSecurityGroupIngress", of("ec2", "security-group/sg-1")),
    ("ec2:CreateTags", of("ec2", "vpc/vpc-1")),
    ("ec2:DeleteVpc", of("ec2", "vpc/vpc-1")),
    ("ec2:RevokeSecurityGroupIngress", of("ec2", "security-group/sg-1")),
    ("elasticache:DeleteReplicationGroup", of("elasticache", "replicationgroup:fraud-prod-profiles")),
    ("ec2:DeleteNetworkInterface", of("ec2", "network-interface/eni-1")),
    ("events:DisableRule", of("events", "rule/fraud-prod-keep-ingestion-running-ended")),
    ("events:PutTargets", of("events", "rule/fraud-prod-keep-ingestion-running-ended")),
    ("glue:BatchStopJobRun", of("glue", "job/fraud-prod-stream-transactions")),
    ("glue:StartJobRun", of("glue", "job/fraud-prod-stream-transactions")),
    ("glue:UpdateJob", of("glue", "job/fraud-prod-stream-transactions")),
    ("iam:AttachRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/fraud-prod-score"),
    ("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/fraud-prod-score"),
    ("iam:PutRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/fraud-prod-score"),
    ("kafka:DeleteCluster", of("kafka", "cluster/fraud-prod/1-2")),
    ("kms:PutKeyPolicy", KEY),
    ("kms:ScheduleKeyDeletion", KEY),
    ("kms:TagResource", KEY),
    ("lambda:UpdateFunctionCode", of("lambda", "function:fraud-prod-score")),
    ("logs:DeleteLogGroup", of("logs", "log-group:/aws/lambda/fraud-prod-score")),
    ("s3:DeleteObject", f"{STATES}/prod/terraform.tfstate"),
    ("s3:DeleteObjectVersion", f"arn:aws:s3:::fraud-prod-history-export-{ACCOUNT}/exports/a"),
    ("s3:DeleteObjectVersion", f"{STATES}/dev/terraform.tfstate"),
    ("s3:PutBucketPolicy", f"arn:aws:s3:::fraud-prod-landing-{ACCOUNT}"),
    ("s3:PutObject", f"arn:aws:s3:::fraud-prod-work-{ACCOUNT}/artifacts/scripts/x.py"),
    ("sns:Subscribe", of("sns", "fraud-prod-fraud-alerts")),
    ("sqs:DeleteQueue", of("sqs", "fraud-prod-quarantine")),
    ("states:StopExecution", of("states", "execution:fraud-prod-export-history:1")),
    ("states:UpdateStateMachine", of("states", "stateMachine:fraud-prod-keep-ingestion-running")),
]
"""Changes of another environment in the same account."""

UNTAGGED = [
    ("appconfig:TagResource", of("appconfig", "application/1a2b3c4")),
    ("ec2:AuthorizeSecurityGroupIngress", of("ec2", "security-group/sg-1")),
    ("ec2:CreateTags", of("ec2", "vpc/vpc-1")),
    ("ec2:DeleteNetworkInterface", of("ec2", "network-interface/eni-1")),
    ("ec2:DeleteVpc", of("ec2", "vpc/vpc-1")),
    ("kms:PutKeyPolicy", KEY),
    ("kms:ScheduleKeyDeletion", KEY),
]
"""Claims and changes of what is in the account and has no tag."""

LIMITS = [
    ("iam:AttachRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/{APPLY}"),
    ("iam:CreatePolicyVersion", f"arn:aws:iam::{ACCOUNT}:policy/fraud-dev-boundary"),
    ("iam:PutRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/{PLAN}"),
    ("iam:UpdateAssumeRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/{APPLY}"),
    ("iam:DeleteRolePermissionsBoundary", f"arn:aws:iam::{ACCOUNT}:role/fraud-dev-score"),
    ("s3:PutBucketPolicy", STATES),
]
"""Changes of what limits the apply role."""


def context(environment: str, **more: str) -> dict[str, str | list[str]]:
    """Condition keys of a resource of an environment, called with that environment's tags."""
    tags = {"Project": "fraud", "Environment": environment}
    return {
        "aws:RequestedRegion": "us-east-1",
        **{f"aws:ResourceTag/{key}": value for key, value in tags.items()},
        **more,
    }


def policies(life: Life, role: str) -> list[Policy]:
    return [Policy(document) for document in life.policies_by_role[role]]


def possible(
    life: Life, role: str, pairs: list[tuple[str, str]], keys: dict[str, str | list[str]]
) -> set[tuple[str, str]]:
    """Those of the pairs that the role may do; each action must exist, or its absence would prove nothing."""
    checked = policies(life, role)
    return {
        (action, arn)
        for action, arn in pairs
        if decide(Request(reference.action(action).name, arn, keys), checked).is_allowed
    }


def test_every_call_of_the_life_was_allowed_by_the_role_that_made_it(life: Life) -> None:
    refused = {
        (call.role, call.action, call.resource, call.reason)
        for call in life.authorizations
        if not call.is_allowed
    }
    calls = {role: sum(call.role == role for call in life.authorizations) for role in (PLAN, APPLY)}

    assert refused == set()
    assert calls[PLAN] > 200
    assert calls[APPLY] > 400


def test_the_recorded_apply_is_allowed_by_the_policies_alone(life: Life) -> None:
    checked = policies(life, APPLY)

    refused = {
        (call.action, call.resource)
        for call in life.authorizations
        if call.role == APPLY
        and not decide(Request(call.action, call.resource, call.context), checked).is_allowed
    }

    assert refused == set()


def test_a_function_that_is_encrypted_with_a_customer_key_hides_its_variables_from_the_plan_role(
    life: Life,
) -> None:
    assert life.variables_shown == {"administrator": {"SIZE": "1"}, PLAN: {}}


@pytest.mark.parametrize("role", [PLAN, APPLY])
def test_payments_cannot_be_read(life: Life, role: str) -> None:
    through = {"kms:ViaService": "sqs.us-east-1.amazonaws.com"}

    assert possible(life, role, READS, context("dev", **through)) == set()


def test_the_apply_role_cannot_open_payments_to_others(life: Life) -> None:
    foreign = {"lambda:Principal": "210987654321", "kms:GrantIsForAWSResource": "false"}

    assert possible(life, APPLY, OPENINGS, context("dev", **foreign)) == set()


def test_the_apply_role_lets_api_gateway_call_the_console_alone(life: Life) -> None:
    functions = [of("lambda", f"function:fraud-dev-{name}") for name in ("console", "replay", "score")]
    pairs = [("lambda:AddPermission", function) for function in functions]

    by_api = context("dev", **{"lambda:Principal": "apigateway.amazonaws.com"})

    assert possible(life, APPLY, pairs, by_api) == {("lambda:AddPermission", functions[0])}


def test_the_apply_role_cannot_change_another_environment(life: Life) -> None:
    wanted = {
        "aws:RequestTag/Project": "fraud",
        "aws:RequestTag/Environment": "dev",
        "iam:PassedToService": "lambda.amazonaws.com",
    }

    assert possible(life, APPLY, OF_OTHERS, context("prod", **wanted)) == set()


def test_the_apply_role_cannot_claim_what_has_no_tag(life: Life) -> None:
    untagged: dict[str, str | list[str]] = {
        "aws:RequestedRegion": "us-east-1",
        "aws:RequestTag/Project": "fraud",
        "aws:RequestTag/Environment": "dev",
    }

    assert possible(life, APPLY, UNTAGGED, untagged) == set()


def test_the_apply_role_cannot_change_what_limits_it(life: Life) -> None:
    bounded = {"iam:PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/fraud-dev-boundary"}

    assert possible(life, APPLY, LIMITS, context("dev", **bounded)) == set()


def test_the_plan_role_changes_nothing(life: Life) -> None:
    writing = {
        (call.action, call.resource)
        for call in life.authorizations
        if call.role == APPLY
        and call.action
        != "kms:Decrypt"  # a write by the reference's levels; the plan role reads its state with it
        and reference.action(call.action).access_level in {"Write", "Permissions management", "Tagging"}
        and decide(Request(call.action, call.resource, call.context), policies(life, PLAN)).is_allowed
    }

    assert writing == set()


def test_every_policy_is_shorter_than_iams_limit(life: Life) -> None:
    lengths = [
        len(json.dumps(document, separators=(",", ":")))
        for documents in life.policies_by_role.values()
        for document in documents
    ]

    assert len(lengths) >= 6
    assert max(lengths) <= LIMIT


def test_every_action_of_the_roles_exists(life: Life) -> None:
    unknown = {
        action
        for documents in life.policies_by_role.values()
        for document in documents
        for statement in document["Statement"]
        for action in as_list(statement["Action"])
        if not reference.matching(action)
    }

    assert unknown == set()


def test_an_action_without_resources_is_allowed_on_all_or_it_allows_nothing(life: Life) -> None:
    # Patterns are left out: they are meant for those of their actions that have resources.
    useless = {
        action
        for documents in life.policies_by_role.values()
        for document in documents
        for statement in document["Statement"]
        if statement["Effect"] == "Allow" and "*" not in as_list(statement["Resource"])
        for action in as_list(statement["Action"])
        if "*" not in action and not reference.action(action).resource_types
    }

    assert useless == set()


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("environment", "prod"),
        ("environment", None),
        ("ref", "refs/heads/another"),
        ("repository", "example/another"),
        ("job_workflow_ref", TOKEN_OF_DEV["job_workflow_ref"].replace("environment.yml", "another.yml")),
        ("sub", TOKEN_OF_MAIN["sub"]),
        ("aud", "another"),
    ],
)
def test_the_apply_role_refuses_a_token_with_another_claim(life: Life, claim: str, value: str | None) -> None:
    claims = {name: text for name, text in (TOKEN_OF_DEV | {claim: value}).items() if text is not None}

    assert _is_trusted(life, APPLY, TOKEN_OF_DEV)
    assert not _is_trusted(life, APPLY, claims)


def test_the_plan_role_trusts_pull_requests_and_no_other_repository(life: Life) -> None:
    of_request = TOKEN_OF_MAIN | {
        "sub": TOKEN_OF_MAIN["sub"].split(":ref:")[0] + ":pull_request",
        "ref": "refs/pull/7/merge",
    }

    assert _is_trusted(life, PLAN, of_request)
    assert not _is_trusted(life, PLAN, of_request | {"repository": "example/another"})
    assert not _is_trusted(
        life, PLAN, TOKEN_OF_MAIN | {"sub": TOKEN_OF_MAIN["sub"].replace("main", "another")}
    )


def _is_trusted(life: Life, role: str, claims: dict[str, str]) -> bool:
    return trusts(
        life.trust_by_role[role], PROVIDER, {f"{ISSUER}:{name}": value for name, value in claims.items()}
    )
