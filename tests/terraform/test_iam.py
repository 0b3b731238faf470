"""The evaluator of policies, AWS's reference, and what the emulator makes of a call: facts that the tests of the roles rely on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.terraform.emulator.iam_call import Call
from tests.terraform.emulator.iam_requests import iam_requests
from tests.terraform.iam import reference
from tests.terraform.iam.evaluator import Policy, PolicyError, Request, decide, trusts

if TYPE_CHECKING:
    from pathlib import Path

KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"

NAMED_ACTION = re.compile(r'"([a-z][a-z0-9-]*:[A-Z][A-Za-z]*\*?|[a-z][a-z0-9-]*:\*)"')
"""An action, or a pattern of actions, in Terraform's text; condition keys look the same and are left out by the reference."""


class Resources:
    """Resources of which nothing depends but a bucket's key."""

    def keys_of(self, arn: str) -> dict[str, str | list[str]]:
        return {"aws:ResourceTag/Environment": "dev"} if "/vpc-" in arn else {}

    def resource_behind(self, value: str) -> str:
        return value

    def key_of_bucket(self, bucket: str) -> str | None:
        return KEY if bucket == "encrypted" else None


def policy(*statements: dict[str, Any]) -> Policy:
    defaults = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    return Policy({"Version": "2012-10-17", "Statement": [defaults | statement for statement in statements]})


def requests(service: str, operation: str, **parameters: Any) -> list[Request]:
    return iam_requests(Call(service, operation, parameters, "us-east-1", "123456789012"), Resources())


def allows(request: Request, *policies: Policy, boundary: Policy | None = None) -> bool:
    return decide(request, policies, boundary).is_allowed


def test_a_deny_wins_over_every_allow() -> None:
    denial = policy({"Effect": "Deny", "Action": "s3:Get*"})

    assert allows(Request("s3:GetObject"), policy({}))
    assert not allows(Request("s3:GetObject"), policy({}), denial)
    assert allows(Request("s3:PutObject"), policy({}), denial)


def test_what_nothing_allows_is_refused() -> None:
    assert not allows(Request("s3:GetObject"), policy({"Action": "dynamodb:*"}))


def test_everything_but_the_named_resources_is_denied() -> None:
    only = policy(
        {}, {"Effect": "Deny", "Action": "s3:*Object*", "NotResource": "arn:aws:s3:::own/*", "Resource": []}
    )
    del only.document["Statement"][1]["Resource"]
    checked = Policy(only.document)

    assert allows(Request("s3:GetObject", "arn:aws:s3:::own/a"), checked)
    assert not allows(Request("s3:GetObject", "arn:aws:s3:::other/a"), checked)


def test_a_boundary_limits_what_policies_allow() -> None:
    boundary = policy({"Action": "s3:*"})

    assert allows(Request("s3:GetObject"), policy({}), boundary=boundary)
    assert not allows(Request("sqs:SendMessage"), policy({}), boundary=boundary)


def test_a_key_that_may_be_used_through_one_service_is_not_usable_otherwise() -> None:
    through = policy(
        {
            "Action": "kms:Decrypt",
            "Condition": {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}},
        }
    )

    assert allows(Request("kms:Decrypt", KEY, {"kms:ViaService": "s3.us-east-1.amazonaws.com"}), through)
    assert not allows(
        Request("kms:Decrypt", KEY, {"kms:ViaService": "lambda.us-east-1.amazonaws.com"}), through
    )
    assert not allows(Request("kms:Decrypt", KEY), through)


def test_a_condition_that_may_be_absent_is_met_without_the_key_and_refused_by_another_value() -> None:
    new_or_own = policy({"Condition": {"StringEqualsIfExists": {"aws:ResourceTag/Environment": "dev"}}})

    assert allows(Request("ec2:CreateTags"), new_or_own)
    assert not allows(Request("ec2:CreateTags", "*", {"aws:ResourceTag/Environment": "prod"}), new_or_own)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ({"Condition": {"StringEqual": {"aws:RequestedRegion": "us-east-1"}}}, "StringEqual"),
        ({"Resource": "arn:aws:s3:::${aws:username}/*"}, "${aws:username}"),
        ({"NotPrincipal": {"AWS": "*"}}, "NotPrincipal"),
    ],
)
def test_what_would_not_be_evaluated_is_an_error(statement: dict[str, Any], named: str) -> None:
    with pytest.raises(PolicyError, match=re.escape(named)):
        policy(statement)


def test_a_token_is_trusted_only_with_every_claim() -> None:
    key = "token.actions.githubusercontent.com"
    document = {
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Principal": {"Federated": PROVIDER},
                "Condition": {
                    "StringEquals": {
                        f"{key}:sub": "repo:a/b:environment:dev",
                        f"{key}:ref": "refs/heads/main",
                    }
                },
            }
        ]
    }
    claims = {f"{key}:sub": "repo:a/b:environment:dev", f"{key}:ref": "refs/heads/main"}

    assert trusts(document, PROVIDER, claims)
    assert not trusts(document, PROVIDER, claims | {f"{key}:ref": "refs/heads/other"})
    assert not trusts(document, PROVIDER, {f"{key}:sub": "repo:a/b:environment:dev"})
    assert not trusts(document, PROVIDER.replace("token.actions", "another"), claims)


def test_a_new_subnet_needs_the_right_on_it_on_its_vpc_and_on_its_tags() -> None:
    tags = [{"ResourceType": "subnet", "Tags": [{"Key": "Environment", "Value": "dev"}]}]
    found = requests(
        "ec2", "CreateSubnet", VpcId="vpc-0123456789abcdef0", CidrBlock="10.0.0.0/20", TagSpecifications=tags
    )

    arn = "arn:aws:ec2:us-east-1:123456789012:"
    assert {(request.action, request.resource) for request in found} == {
        ("ec2:CreateSubnet", f"{arn}subnet/*"),
        ("ec2:CreateSubnet", f"{arn}vpc/vpc-0123456789abcdef0"),
        ("ec2:CreateTags", f"{arn}subnet/*"),
    }
    by_resource = {
        request.resource: request.context for request in found if request.action == "ec2:CreateSubnet"
    }
    assert by_resource[f"{arn}subnet/*"]["aws:RequestTag/Environment"] == "dev"
    assert by_resource[f"{arn}vpc/vpc-0123456789abcdef0"]["aws:ResourceTag/Environment"] == "dev"


def test_an_object_under_a_customer_key_needs_the_key_through_s3() -> None:
    (_, key) = requests("s3", "GetObject", Bucket="encrypted", Key="a/b")

    assert (key.action, key.resource) == ("kms:Decrypt", KEY)
    assert key.context["kms:ViaService"] == "s3.us-east-1.amazonaws.com"
    assert [request.action for request in requests("s3", "GetObject", Bucket="plain", Key="a/b")] == [
        "s3:GetObject"
    ]


def test_a_role_in_a_call_is_passed_to_the_service() -> None:
    role = "arn:aws:iam::123456789012:role/fraud-dev-alert"
    (own, passed) = requests("lambda", "CreateFunction", FunctionName="fraud-dev-alert", Role=role)

    assert own.resource == "arn:aws:lambda:us-east-1:123456789012:function:fraud-dev-alert"
    assert (passed.action, passed.resource) == ("iam:PassRole", role)
    assert passed.context["iam:PassedToService"] == "lambda.amazonaws.com"


def test_a_call_of_api_gateway_is_its_method_on_its_path() -> None:
    (made,) = requests("apigateway", "CreateRestApi", name="console", tags={"Environment": "dev"})
    (stage,) = requests("apigateway", "GetStage", restApiId="a1b2c3d4e5", stageName="v1")

    assert (made.action, made.resource) == ("apigateway:POST", "arn:aws:apigateway:us-east-1::/restapis")
    assert made.context["aws:RequestTag/Environment"] == "dev"
    assert (stage.action, stage.resource) == (
        "apigateway:GET",
        "arn:aws:apigateway:us-east-1::/restapis/a1b2c3d4e5/stages/v1",
    )


def test_who_may_reach_an_api_is_a_right_of_its_own() -> None:
    patch = {"op": "replace", "path": "/policy", "value": "{}"}

    found = requests("apigateway", "UpdateRestApi", restApiId="a1b2c3d4e5", patchOperations=[patch])

    assert [request.action for request in found] == ["apigateway:PATCH", "apigateway:UpdateRestApiPolicy"]


def test_tags_of_a_new_user_pool_are_tags_of_the_request() -> None:
    (made,) = requests("cognito-idp", "CreateUserPool", PoolName="a", UserPoolTags={"Environment": "dev"})

    assert (made.resource, made.context["aws:RequestTag/Environment"]) == ("*", "dev")


def test_a_call_that_the_reference_does_not_know_is_an_error() -> None:
    with pytest.raises(LookupError, match="appconfigdata:GetLatestConfiguration"):
        requests("appconfigdata", "GetLatestConfiguration")


def test_every_action_that_a_policy_names_exists(repository: Path) -> None:
    # An action that does not exist denies and allows nothing: `appconfigdata` is a client's name and no prefix of IAM.
    unknown = {
        f"{file.relative_to(repository)}: {name}"
        for file in sorted((repository / "terraform").rglob("*.tf"))
        if ".terraform" not in file.parts
        for name in NAMED_ACTION.findall(file.read_text())
        if not reference.is_condition_key(name) and not reference.matching(name)
    }

    assert unknown == set()


def test_a_name_of_the_call_itself_comes_before_one_inside_its_parameters() -> None:
    (request,) = requests("glue", "CreateJob", Name="fraud-dev-job", Command={"Name": "gluestreaming"})

    assert request.resource == "arn:aws:glue:us-east-1:123456789012:job/fraud-dev-job"


def test_a_cache_that_leaves_a_last_snapshot_needs_the_right_to_make_one() -> None:
    cache = "arn:aws:elasticache:us-east-1:123456789012:replicationgroup:fraud-prod-profiles"
    snapshot = "arn:aws:elasticache:us-east-1:123456789012:snapshot:fraud-prod-profiles-1"

    needed = requests(
        "elasticache",
        "DeleteReplicationGroup",
        ReplicationGroupId="fraud-prod-profiles",
        FinalSnapshotIdentifier="fraud-prod-profiles-1",
    )
    without = requests("elasticache", "DeleteReplicationGroup", ReplicationGroupId="fraud-prod-profiles")

    made = {request.resource for request in needed if request.action == "elasticache:CreateSnapshot"}
    assert made == {cache, snapshot}
    assert {request.action for request in without} == {"elasticache:DeleteReplicationGroup"}
